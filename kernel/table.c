// SPDX-License-Identifier: GPL-2.0-only
/* The bounded table of processes; table.h has the invariants and the locks. */
#include "table.h"

#include <linux/bitmap.h>
#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/idr.h>
#include <linux/kprobes.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "reclaim.h"
#include "table_private.h"

struct pf_table pf_table;
struct pf_table_fixed pf_table_fixed __ro_after_init;
struct pf_index pf_table_index __ro_after_init;
DEFINE_PER_CPU(struct pf_cpu_tally, pf_table_global);
DEFINE_PER_CPU(struct pf_entry *, pf_table_last);

/*
 * Copies a leader's name, without task_lock, which may not be taken under a raw
 * lock. A name that is being changed can come out mixed. That does no harm: the
 * name of a live process is read again for each row, and a process that exits
 * does not change its name any more.
 */
static void pf_table_name(struct pf_entry *entry, struct task_struct *leader)
{
	/* See above. */
	data_race(memcpy(entry->comm, leader->comm, sizeof(entry->comm)));
	entry->comm[TASK_COMM_LEN - 1] = '\0';
}
NOKPROBE_SYMBOL(pf_table_name);

/* Takes a free entry for @task's group, or returns NULL. Lock held. */
static struct pf_entry *pf_table_take(struct task_struct *task,
				      struct pid *pid)
{
	/* If it is not current's group, an exec can change its leader. */
	struct task_struct *leader = pf_racy_read(task->group_leader);
	struct pf_entry *entry;

	entry = list_first_entry_or_null(&pf_table.free, struct pf_entry, list);
	if (!entry) {
		WRITE_ONCE(pf_table.overflowed, true);
		return NULL;
	}
	list_del(&entry->list);
	WRITE_ONCE(pf_table.nr_free, pf_table.nr_free - 1);
	pf_table.nr_live++;
	entry->pid = get_pid(pid);
	entry->state = PF_ENTRY_LIVE;
	entry->start_ns = leader->start_boottime;
	pf_table_name(entry, leader);
	pf_account_set_base(entry);
	hlist_add_head_rcu(&entry->node, pf_table_bucket(pid));
	set_bit(entry - pf_table_fixed.entries, pf_table_fixed.used);
	return entry;
}
NOKPROBE_SYMBOL(pf_table_take);

/* As pf_table_insert(), but does not wake the worker. */
static struct pf_tally *pf_table_place(struct task_struct *task,
				       struct pid *pid)
{
	struct pf_tally *tally = this_cpu_ptr(pf_table_fixed.retired);
	struct pf_tally *overflow = this_cpu_ptr(pf_table_fixed.overflow);
	struct pf_entry *entry;
	unsigned long flags;

	/* If @task is not current, it can change its other flags meanwhile. */
	if (pf_racy_read(task->flags) & PF_KTHREAD)
		return tally;
	/* While the table is full, do not take the lock on every fault. */
	if (!READ_ONCE(pf_table.nr_free) && READ_ONCE(pf_table.overflowed))
		return atomic_read(&task->signal->live) ? overflow : tally;
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	entry = pf_table_find(pid);
	if (entry) {
		tally = &entry->tally;
	} else if (atomic_read(&task->signal->live)) {
		entry = pf_table_take(task, pid);
		tally = entry ? &entry->tally : overflow;
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	return tally;
}
NOKPROBE_SYMBOL(pf_table_place);

/* Wakes the worker when few entries are free and exited ones can be freed. */
static void pf_table_press(void)
{
	if (READ_ONCE(pf_table.nr_free) < pf_table_fixed.reserve &&
	    READ_ONCE(pf_table.nr_exited))
		pf_reclaim_kick();
}
NOKPROBE_SYMBOL(pf_table_press);

/**
 * pf_table_insert() - the tally for a group that has no entry yet
 * @task: as for pf_table_tally()
 * @pid: its tgid
 *
 * Makes an entry if the group may have one and the table has room.
 *
 * Context: as for pf_table_tally(), which is its only caller.
 * Return: a tally, never NULL.
 */
struct pf_tally *pf_table_insert(struct task_struct *task, struct pid *pid)
{
	struct pf_tally *tally = pf_table_place(task, pid);

	pf_table_press();
	return tally;
}
NOKPROBE_SYMBOL(pf_table_insert);

/**
 * pf_table_exit() - note that a thread group is gone
 * @task: its last thread, or one of the last, whose signal->live is 0
 *
 * The entry stays in the hash until its retention ends, because faults may
 * follow.
 *
 * Context: any, as long as @task is not released. Does not sleep.
 */
void pf_table_exit(struct task_struct *task)
{
	struct pf_entry *entry;
	unsigned long flags;
	u64 cgroup;

	rcu_read_lock();
	/* Final: no thread that exits is moved to another control group. */
	cgroup = pf_compat_cgroup_id(task->group_leader);
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	entry = pf_table_find(task_tgid(task));
	if (entry && entry->state == PF_ENTRY_LIVE) {
		pf_table_name(entry, task->group_leader);
		pf_table_mark_exited(entry, cgroup);
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	rcu_read_unlock();
	pf_table_press();
}

/* Puts every entry on the free list; the lowest index is taken first. */
static void pf_table_fill_free(void)
{
	unsigned int i;

	for (i = 0; i < pf_table_fixed.capacity; i++)
		list_add_tail(&pf_table_fixed.entries[i].list, &pf_table.free);
	pf_table.nr_free = pf_table_fixed.capacity;
}

/**
 * pf_table_init() - allocate the table
 * @capacity: entries, PF_MAX_PROCESSES_MIN to PF_MAX_PROCESSES_MAX
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pf_table_init(unsigned int capacity)
{
	unsigned int buckets = roundup_pow_of_two(capacity);

	/* What deploy/README.md states for a row. */
	BUILD_BUG_ON(sizeof(struct pf_entry) > 768);
	raw_spin_lock_init(&pf_table.lock);
	INIT_LIST_HEAD(&pf_table.free);
	INIT_LIST_HEAD(&pf_table.exited);
	pf_table_fixed.capacity = capacity;
	pf_table.loaded_ns = U64_MAX;
	pf_table_fixed.reserve = clamp(capacity / 8, 1U, 256U);
	pf_table_index.shift = 64 - ilog2(buckets);
	pf_table_index.buckets = kvcalloc(buckets, sizeof(*pf_table_index.buckets),
					  GFP_KERNEL);
	/* Not kvcalloc(): it warns about 2 GB and more, and refuses. */
	pf_table_fixed.entries =
		__vmalloc(array_size(capacity, sizeof(struct pf_entry)),
			  GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	pf_table_fixed.used = kvcalloc(BITS_TO_LONGS(capacity), sizeof(long),
				       GFP_KERNEL);
	pf_table_fixed.retired = pf_tally_alloc_cpus(GFP_KERNEL);
	pf_table_fixed.overflow = pf_tally_alloc_cpus(GFP_KERNEL);
	if (!pf_table_index.buckets || !pf_table_fixed.entries ||
	    !pf_table_fixed.used || !pf_table_fixed.retired ||
	    !pf_table_fixed.overflow) {
		pf_table_destroy();
		return -ENOMEM;
	}
	pf_table_fill_free();
	return 0;
}

/**
 * pf_table_begin() - note that every fault from now on is counted
 *
 * All faults of a process that starts after this are counted.
 *
 * Context: any.
 */
void pf_table_begin(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pf_table.lock, flags);
	pf_table.loaded_ns = ktime_get_boottime_ns();
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
}

/* How many pids are looked at in one RCU read section. */
#define PF_TABLE_BATCH	64

/*
 * Gives an entry to the process with this tgid, if it may have one. A pid that
 * is no tgid, or whose process has been released, has no such task. RCU held.
 */
static void pf_table_fill_pid(struct pid *pid)
{
	struct task_struct *leader = pid_task(pid, PIDTYPE_TGID);

	if (!leader || (pf_racy_read(leader->flags) & PF_KTHREAD))
		return;
	preempt_disable();
	if (!pf_table_find(pid))
		pf_table_place(leader, pid);
	preempt_enable();
}

/*
 * Goes through the next pids from the number @nr on, as next_tgid() of
 * fs/proc/base.c does. Returns the number to go on from, 0 at the end.
 */
static int pf_table_fill_batch(int nr)
{
	unsigned int n;

	rcu_read_lock();
	for (n = 0; n < PF_TABLE_BATCH; n++) {
		struct pid *pid = idr_get_next(&init_pid_ns.idr, &nr);

		if (!pid)
			break;
		pf_table_fill_pid(pid);
		nr++;
	}
	rcu_read_unlock();
	return n == PF_TABLE_BATCH ? nr : 0;
}

/**
 * pf_table_fill() - give an entry to every process that has an mm
 *
 * Called when the exit hook is in place. A process that exits meanwhile is
 * either seen by the hook or gets no entry (invariant 4).
 *
 * Context: process context, may sleep.
 */
void pf_table_fill(void)
{
	int nr = 1;

	while ((nr = pf_table_fill_batch(nr)))
		cond_resched();
}

/**
 * pf_table_destroy() - free the table
 *
 * Called when nothing counts, exits, reads or reclaims any more. The table may
 * be allocated only in part.
 *
 * Context: process context, may sleep.
 */
void pf_table_destroy(void)
{
	unsigned int i;

	for (i = 0; pf_table_fixed.entries && i < pf_table_fixed.capacity; i++)
		put_pid(pf_table_fixed.entries[i].pid);
	free_percpu(pf_table_fixed.overflow);
	free_percpu(pf_table_fixed.retired);
	kvfree(pf_table_fixed.used);
	vfree(pf_table_fixed.entries);
	kvfree(pf_table_index.buckets);
}

/**
 * pf_table_next() - the next entry in use
 * @index: the first index to look at
 *
 * Context: any. Entries come and go meanwhile. A walk sees an entry that is in
 *	use all the time exactly once.
 * Return: its index, or -1.
 */
int pf_table_next(unsigned int index)
{
	if (index < pf_table_fixed.capacity)
		/* A bit that changes meanwhile is seen with either value. */
		index = data_race(find_next_bit(pf_table_fixed.used,
						pf_table_fixed.capacity, index));
	return index < pf_table_fixed.capacity ? (int)index : -1;
}

/**
 * pf_table_row() - copy an entry
 * @index: from pf_table_next()
 * @row: overwritten if the entry is in use; then with a reference on its pid,
 *	which the caller puts
 *
 * Context: any. Holds the lock while it copies the cells, about 500
 *	instructions, so that the entry is not given to another process meanwhile.
 * Return: whether the entry was in use.
 */
bool pf_table_row(unsigned int index, struct pf_row *row)
{
	struct pf_entry *entry = &pf_table_fixed.entries[index];
	struct pf_tally __percpu *cpus = NULL;
	struct pf_tally counted;
	unsigned long flags;
	bool used;

	rcu_read_lock();
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	used = entry->state != PF_ENTRY_FREE;
	if (used) {
		row->pid = get_pid(entry->pid);
		row->start_ns = entry->start_ns;
		row->live = entry->state == PF_ENTRY_LIVE;
		row->by_cpu = READ_ONCE(entry->cpu_tally);
		row->cgroup = row->live ? 0 : entry->cgroup;
		memcpy(row->comm, entry->comm, sizeof(row->comm));
		cpus = pf_table_copy(entry, &counted);
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	if (used) {
		pf_tally_gather(&counted, cpus);
		pf_tally_sum(&counted, &row->sums);
	}
	rcu_read_unlock();
	return used;
}

/* The sum over the CPUs of everything counted since load. */
static void pf_table_global_sums(struct pf_sums *sums)
{
	struct pf_tally total;
	unsigned int i;
	int cpu;

	pf_tally_clear(&total);
	for_each_possible_cpu(cpu)
		for (i = 0; i < PF_COUNTERS; i++)
			atomic64_add(READ_ONCE(per_cpu(pf_table_global, cpu).n[i]),
				     &total.n[i]);
	pf_tally_sum(&total, sums);
}

/* The published sums of the tallies of all CPUs. */
static void pf_table_cpu_sums(struct pf_tally __percpu *tally,
			      struct pf_sums *sums)
{
	struct pf_tally total;

	pf_tally_clear(&total);
	pf_tally_gather(&total, tally);
	pf_tally_sum(&total, sums);
}

/**
 * pf_table_status() - the table as a whole
 * @status: overwritten; the numbers of rows are read under one hold of the lock
 *
 * Context: process context, may sleep; not exact while faults are under way.
 */
void pf_table_status(struct pf_table_status *status)
{
	unsigned long flags;

	pf_table_global_sums(&status->global);
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	status->capacity = pf_table_fixed.capacity;
	status->live = pf_table.nr_live;
	status->exited = pf_table_fixed.capacity - pf_table.nr_free -
			 pf_table.nr_live;
	status->retired_rows = pf_table.retired_rows;
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	pf_table_cpu_sums(pf_table_fixed.retired, &status->retired);
	pf_table_cpu_sums(pf_table_fixed.overflow, &status->overflow);
}
