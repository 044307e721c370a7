/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bounded table of processes.
 *
 * Invariants
 *  1. Every entry is in exactly one state: free (on the free list), live,
 *     exited (on the exited list, oldest first; or set aside by the worker,
 *     since its time has come but invariant 4 keeps it) or retiring (on the
 *     worker's own list). Only live and exited entries are hashed.
 *  2. Entries are allocated once, at load, and freed at unload: a pointer to
 *     one never dangles while the module is loaded. What changes is whom it
 *     counts for, and that only after a grace period in which no handler can
 *     still hold it: entry->pid is set before the entry is hashed and changes
 *     only after synchronize_rcu().
 *  3. An entry holds a reference on its pid, so no other process can have the
 *     same struct pid while the entry is not free (pid reuse makes a new one).
 *  4. A group whose signal->live is 0 is never given an entry. The decrement
 *     precedes the exit hook, and both the check and the hook hold the lock:
 *     whoever inserts first is seen by the hook, and after the hook nobody
 *     inserts. A live entry without an end cannot be born. (With totals the
 *     hook itself makes the entry, as an exited one, of a process that lived
 *     and died unread; it goes only after its tasks have been released, so
 *     that no later thread's hook makes a second.)
 *  5. With totals an entry holds a reference on a task of its group, for whose
 *     signal_struct stays readable after the group was released.
 *
 * Locks
 *   pf_table.lock (raw_spinlock_t, irqs off; the innermost, nothing is taken
 *   inside it but what a put or get of a pid does)
 *   Counting takes no lock: it finds its entry under RCU, for which the
 *   disabled preemption of a probe's handler suffices.
 */
#ifndef PF_TABLE_H
#define PF_TABLE_H

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/pid.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/types.h>

#include "account.h"
#include "tally.h"

#define PF_MAX_PROCESSES_MIN	16
#define PF_MAX_PROCESSES_MAX	4194304	/* PID_MAX_LIMIT on 64 bits */

enum pf_entry_state {
	PF_ENTRY_FREE,
	PF_ENTRY_LIVE,
	PF_ENTRY_EXITED,
	PF_ENTRY_RETIRING,
};

/**
 * struct pf_entry - one process
 * @node: in its hash bucket while live or exited (RCU)
 * @pid: the tgid's; a reference is held while not free; see invariant 2
 * @tally: its counters; any CPU adds, no lock
 * @list: on the free, exited or the worker's list (lock)
 * @state: see invariant 1 (lock)
 * @start_ns: start_boottime of its leader (written before it is hashed)
 * @base: what the kernel had counted when the tally began; with full and for
 *	a process that began before it, the least difference seen (lock)
 * @task: with totals, a task of the group; a reference is held (lock)
 * @exit_ns: boot time of its exit (lock)
 * @comm: leader's name when the entry was made, and its last one from the
 *	exit on (lock)
 */
struct pf_entry {
	struct hlist_node node;
	struct pid *pid;
	struct pf_tally tally;
	struct list_head list;
	enum pf_entry_state state;
	u64 start_ns;
	struct pf_account base;
	struct task_struct *task;
	u64 exit_ns;
	char comm[TASK_COMM_LEN];
} ____cacheline_aligned;

/**
 * struct pf_index - the hash of the live and exited entries, by struct pid
 * @buckets: as many as entries or more, a power of two
 * @bits: its logarithm
 */
struct pf_index {
	struct hlist_head *buckets;
	unsigned int bits;
};
/* Constant while anything counts. */
extern struct pf_index pf_table_index;

/**
 * struct pf_row - one entry as it was at one moment
 * @pid: holds a reference that the caller puts
 * @start_ns: the process's start, boot time
 * @live: whether the process had not exited
 * @comm: for an exited process its last name
 * @sums: its counters
 */
struct pf_row {
	struct pid *pid;
	u64 start_ns;
	bool live;
	char comm[TASK_COMM_LEN];
	struct pf_sums sums;
};

/**
 * struct pf_table_status - the table as a whole
 * @capacity: entries there are
 * @live: entries of living processes
 * @exited: entries of exited processes, those being retired included
 * @retired_rows: entries dropped since load
 * @global: all that was counted, by CPU and independently of the entries
 * @retired: what dropped entries, and groups that never had one, had counted
 * @overflow: what found no room
 */
struct pf_table_status {
	unsigned int capacity;
	unsigned int live;
	unsigned int exited;
	u64 retired_rows;
	struct pf_sums global;
	struct pf_sums retired;
	struct pf_sums overflow;
};

/* Counts by CPU of all that the probe sees, whatever entry it goes to. */
struct pf_cpu_tally {
	u64 n[PF_COUNTERS];
};
DECLARE_PER_CPU(struct pf_cpu_tally, pf_table_global);

int pf_table_init(unsigned int capacity, bool totals);
void pf_table_fill(void);
bool pf_table_is_totals(void);
void pf_table_begin(void);
void pf_table_destroy(void);
struct pf_tally *pf_table_insert(struct task_struct *task, struct pid *pid);
void pf_table_exit(struct task_struct *task);
int pf_table_next(unsigned int index);
bool pf_table_row(unsigned int index, struct pf_row *row);
void pf_table_status(struct pf_table_status *status);

static __always_inline struct hlist_head *pf_table_bucket(const struct pid *pid)
{
	return &pf_table_index.buckets[hash_ptr(pid, pf_table_index.bits)];
}

/**
 * pf_table_find() - the entry of a thread group
 * @pid: its tgid
 *
 * Context: preemption disabled, or the table's lock held.
 * Return: the entry, valid as long as that, or NULL.
 */
static __always_inline struct pf_entry *pf_table_find(const struct pid *pid)
{
	struct pf_entry *entry;

	hlist_for_each_entry_rcu_notrace(entry, pf_table_bucket(pid), node)
		if (entry->pid == pid)
			return entry;
	return NULL;
}

/**
 * pf_table_tally() - where a task's faults are counted
 * @task: current, or a task that cannot go away meanwhile
 *
 * The entry of the task's group, made if it has none; the tally of retired
 * rows for kernel threads and groups that are already dead; the overflow when
 * the table is full.
 *
 * Context: preemption disabled, as in a probe's handler. The result may be
 *	added to until preemption is enabled again. Neither sleeps nor
 *	allocates.
 * Return: a tally, never NULL.
 */
static __always_inline struct pf_tally *pf_table_tally(struct task_struct *task)
{
	struct pid *pid = task_tgid(task);
	struct pf_entry *entry = pf_table_find(pid);

	return likely(entry) ? &entry->tally : pf_table_insert(task, pid);
}

#endif /* PF_TABLE_H */
