/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bounded table of processes.
 *
 * Invariants
 *  1. Every entry is in exactly one state: free (on the free list); live;
 *     exited (on the exited list, oldest first); or retiring (on the worker's
 *     list of entries to free). Only live and exited entries are in the hash.
 *  2. Entries are allocated once, at load, and freed at unload, so a pointer to
 *     one is valid as long as the module is loaded. An entry is given to
 *     another process only after a grace period, so that no handler that found
 *     it for the old process still adds to it. entry->pid is set before the
 *     entry is hashed, and changes only after synchronize_rcu().
 *  3. An entry that is not free holds a reference on its pid. So this struct
 *     pid is not freed, and no other process can get it. When the pid number is
 *     reused, the new process has another struct pid.
 *  4. A group whose signal->live is 0 is never given an entry. The kernel
 *     decrements signal->live before it calls the exit hook, and both the check
 *     and the hook hold the lock. An entry made before the hook ran is seen by
 *     the hook, and after the hook none is made. So no live entry outlives its
 *     process.
 *
 * Locks
 *   pf_table.lock (raw_spinlock_t, irqs off) is the innermost lock. What runs
 *   inside it takes no other lock. Counting into an entry takes no lock; making
 *   the entry takes this one. Counting finds its entry under RCU: a probe's
 *   handler runs with preemption disabled, which is an RCU read section.
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
 * @pid: struct pid of the tgid, with a reference while not free (invariant 2)
 * @cpu_tally: the tallies of its block, which handlers count into; NULL if they
 *	count into @tally (written by the worker)
 * @block: the block whose counts are added to those of @tally (written by the
 *	worker under the lock)
 * @start_ns: start_boottime of the leader; written before the entry is hashed
 * @comm: the leader's name when the entry was made; from the exit on, its last
 *	name (lock)
 * @tally: its counters; any CPU adds to them without a lock
 * @list: on the free list, the exited list or the worker's list (lock)
 * @base: while live, what the kernel had counted before the entry did; see
 *	pf_account_set_base() (lock)
 * @cgroup: from the exit on, the id of the leader's last control group, in the
 *	place of @base, so that the entry takes no further cache line (lock)
 * @exit_ns: boot time of the exit (lock)
 * @state: see invariant 1 (lock)
 * @turn: the worker's last look that found a CPU which counts into it (the
 *	worker)
 *
 * Every fault reads the first cache line. It is written only when a process, or
 * its neighbour in the hash, comes or goes, or gets or loses a block.
 */
struct pf_entry {
	struct hlist_node node;
	struct pid *pid;
	struct pf_tally __percpu *cpu_tally;
	struct pf_block *block;
	u64 start_ns;
	char comm[TASK_COMM_LEN];

	struct pf_tally tally ____cacheline_aligned;
	struct list_head list;
	union {
		struct pf_account base;
		u64 cgroup;
	};
	u64 exit_ns;
	enum pf_entry_state state;
	unsigned int turn;
} ____cacheline_aligned;

/**
 * struct pf_index - the hash of the live and exited entries, by struct pid
 * @buckets: a power of two of them, at least as many as entries
 * @shift: 64 minus the logarithm of their number. hash_ptr() computes it at each
 *	call, which takes two instructions more a fault.
 */
struct pf_index {
	struct hlist_head *buckets;
	unsigned int shift;
};
/* Constant while anything counts. */
extern struct pf_index pf_table_index;

/**
 * struct pf_row - a copy of an entry
 * @pid: with a reference that the caller puts
 * @start_ns: boot time of the process's start
 * @live: whether the entry was live
 * @by_cpu: whether it had a block
 * @cgroup: for an exited process the id of its last control group, else 0
 * @comm: the entry's name; for an exited process its last name
 * @sums: the sums of its counters
 */
struct pf_row {
	struct pid *pid;
	u64 start_ns;
	bool live;
	bool by_cpu;
	u64 cgroup;
	char comm[TASK_COMM_LEN];
	struct pf_sums sums;
};

/**
 * struct pf_table_status - the table as a whole
 * @capacity: all entries, used or free
 * @live: entries of live processes
 * @exited: entries of exited processes, retiring ones included
 * @retired_rows: entries freed since load
 * @global: everything counted since load, from the counters by CPU
 * @retired: the counts of freed entries, of kernel threads and of dead groups
 * @overflow: the counts of processes that found the table full
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

/* A CPU's count of everything that the probe sees, over all entries. */
struct pf_cpu_tally {
	u64 n[PF_COUNTERS];
};
DECLARE_PER_CPU(struct pf_cpu_tally, pf_table_global);

/*
 * The entry that a CPU last counted into. Only a hint: the entry may since have
 * been given to another process.
 */
DECLARE_PER_CPU(struct pf_entry *, pf_table_last);

int pf_table_init(unsigned int capacity);
void pf_table_fill(void);
void pf_table_begin(void);
void pf_table_destroy(void);
struct pf_tally *pf_table_insert(struct task_struct *task, struct pid *pid);
void pf_table_exit(struct task_struct *task);
int pf_table_next(unsigned int index);
bool pf_table_row(unsigned int index, struct pf_row *row);
void pf_table_status(struct pf_table_status *status);

static __always_inline struct hlist_head *pf_table_bucket(const struct pid *pid)
{
	u64 hash = (u64)(unsigned long)pid * GOLDEN_RATIO_64;

	return &pf_table_index.buckets[hash >> pf_table_index.shift];
}

/**
 * pf_table_find() - the entry of a thread group
 * @pid: its tgid
 *
 * Context: preemption disabled, or the table's lock held.
 * Return: the entry or NULL; it stays the group's as long as the context holds.
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
 * pf_table_cpu_tally() - this CPU's tally of an entry that may have a block
 * @entry: the entry
 *
 * Context: as pf_table_tally().
 * Return: a tally, never NULL.
 */
static __always_inline struct pf_tally *
pf_table_cpu_tally(struct pf_entry *entry)
{
	struct pf_tally __percpu *tally = READ_ONCE(entry->cpu_tally);

	return tally ? this_cpu_ptr(tally) : &entry->tally;
}

/**
 * pf_table_tally() - the tally that a task's faults are counted in
 * @task: current, or a task that cannot be freed meanwhile
 *
 * It is that of the group's entry, which is made if there is none, or this CPU's
 * tally of its block. Otherwise it is this CPU's retired tally for kernel threads
 * and dead groups, or its overflow tally if the table is full.
 *
 * Context: preemption disabled, as in a probe's handler. The caller may add to
 *	the result until it enables preemption. Neither sleeps nor allocates.
 * Return: a tally, never NULL.
 */
static __always_inline struct pf_tally *pf_table_tally(struct task_struct *task)
{
	struct pid *pid = task_tgid(task);
	struct pf_entry *entry = pf_table_find(pid);
	struct pf_tally *tally;

	if (unlikely(!entry))
		return pf_table_insert(task, pid);
	this_cpu_write(pf_table_last, entry);
	tally = &entry->tally;
	/* Only a hint, so that it costs one comparison; it is read again. */
	if (unlikely(data_race(entry->cpu_tally)))
		tally = pf_table_cpu_tally(entry);
	return tally;
}

#endif /* PF_TABLE_H */
