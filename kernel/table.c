// SPDX-License-Identifier: GPL-2.0-only
/* The bounded table of processes; invariants and locks are in table.h. */
#include "table.h"

#include <linux/bitmap.h>
#include <linux/idr.h>
#include <linux/kprobes.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "reclaim.h"
#include "table_private.h"

struct pf_table pf_table;
struct pf_index pf_table_index;
DEFINE_PER_CPU(struct pf_cpu_tally, pf_table_global);

/*
 * Copies a leader's name. Without task_lock, which is no raw lock: a name that
 * is being changed may be mixed. A live row's is read again, and who exits
 * changes its name no more.
 */
static void pf_table_name(struct pf_entry *entry, struct task_struct *leader)
{
	/* See above. */
	data_race(memcpy(entry->comm, leader->comm, sizeof(entry->comm)));
	entry->comm[TASK_COMM_LEN - 1] = '\0';
}
NOKPROBE_SYMBOL(pf_table_name);

/* Takes a free entry for @task's group and hashes it. Lock held. */
static struct pf_entry *pf_table_take(struct task_struct *task,
				      struct pid *pid)
{
	/* May be another's group, whose leader de_thread() changes. */
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
	entry->task = pf_table.totals ? get_task_struct(leader) : NULL;
	hlist_add_head_rcu(&entry->node, pf_table_bucket(pid));
	set_bit(entry - pf_table.entries, pf_table.used);
	return entry;
}
NOKPROBE_SYMBOL(pf_table_take);

/* As pf_table_insert(), but leaves it at that when the table is full. */
static struct pf_tally *pf_table_place(struct task_struct *task,
				       struct pid *pid)
{
	struct pf_tally *tally = &pf_table.retired;
	struct pf_entry *entry;
	unsigned long flags;

	/* May be another's, which changes other flags meanwhile. */
	if (pf_racy_read(task->flags) & PF_KTHREAD)
		return tally;
	/* A full table is not worth the lock on every fault. */
	if (!READ_ONCE(pf_table.nr_free) && READ_ONCE(pf_table.overflowed))
		return atomic_read(&task->signal->live) ? &pf_table.overflow :
							  tally;
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	entry = pf_table_find(pid);
	if (entry) {
		tally = &entry->tally;
	} else if (atomic_read(&task->signal->live)) {
		entry = pf_table_take(task, pid);
		tally = entry ? &entry->tally : &pf_table.overflow;
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	return tally;
}
NOKPROBE_SYMBOL(pf_table_place);

/* Wakes the worker when free entries run low and there is one to be had. */
static void pf_table_press(void)
{
	if (READ_ONCE(pf_table.nr_free) < pf_table.reserve &&
	    READ_ONCE(pf_table.nr_exited))
		pf_reclaim_kick();
}
NOKPROBE_SYMBOL(pf_table_press);

/**
 * pf_table_insert() - the tally of a group that has no entry yet
 * @task: as pf_table_tally()
 * @pid: its tgid
 *
 * Of a new entry if the group may have one and there is room.
 *
 * Context: as pf_table_tally(), which is its only caller.
 * Return: a tally, never NULL.
 */
struct pf_tally *pf_table_insert(struct task_struct *task, struct pid *pid)
{
	struct pf_tally *tally = pf_table_place(task, pid);

	pf_table_press();
	return tally;
}
NOKPROBE_SYMBOL(pf_table_insert);

/* Whether a dying process is counted already among what found no room. */
static bool pf_table_is_lost(const struct pid *pid, u64 start_ns)
{
	unsigned int i;

	for (i = 0; i < PF_LOST_MAX; i++)
		if (pf_table.lost[i].pid == pid &&
		    pf_table.lost[i].start_ns == start_ns)
			return true;
	return false;
}

/*
 * Remembers a process that is counted, if another of its last threads has yet to
 * come here: exit_notify(), after the hook, sets exit_state. Lock held.
 */
static void pf_table_remember(struct task_struct *task, u64 start_ns)
{
	struct task_struct *t;
	struct pf_lost *lost;

	for_each_thread(task, t)
		if (t != task && !pf_racy_read(t->exit_state))
			goto remember;
	return;

remember:
	lost = &pf_table.lost[pf_table.next_lost++ % PF_LOST_MAX];
	lost->pid = task_tgid(task);
	lost->start_ns = start_ns;
}

/*
 * With totals: keeps the count of a process that dies and never found room. What
 * its other last threads fault from here on is missed; and, where the hook comes
 * before exit_mm() (6.16 and later), what it does itself. Lock held.
 */
static void pf_table_lose(struct task_struct *task, u64 start_ns)
{
	struct pf_account account;
	unsigned int s;

	if (start_ns < pf_table.loaded_ns)
		return;
	pf_table_remember(task, start_ns);
	pf_account_peek(task, &account);
	for (s = 0; s < PF_SEVERITIES; s++) {
		atomic64_add(account.n[s], &pf_table.overflow.n[s * PF_SHAPES]);
		this_cpu_add(pf_table_global.n[s * PF_SHAPES], account.n[s]);
	}
}

/*
 * With totals: the entry of a process that dies before anybody read it. Of a
 * process whose last threads all come here the first decides, though there be
 * room by now.
 */
static struct pf_entry *pf_table_take_unread(struct task_struct *task)
{
	struct pid *pid = task_tgid(task);
	u64 start_ns = task->group_leader->start_boottime;
	struct pf_entry *entry;

	if ((task->flags & PF_KTHREAD) || pf_table_is_lost(pid, start_ns))
		return NULL;
	entry = pf_table_take(task, pid);
	if (!entry)
		pf_table_lose(task, start_ns);
	return entry;
}

/**
 * pf_table_exit() - note that a thread group is gone
 * @task: its last thread, or one of the last, whose signal->live is 0
 *
 * The entry stays hashed, since faults may follow, until its retention ends.
 *
 * Context: any in which @task is not released. Does not sleep.
 */
void pf_table_exit(struct task_struct *task)
{
	struct pf_entry *entry;
	unsigned long flags;

	rcu_read_lock();
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	entry = pf_table_find(task_tgid(task));
	if (!entry && pf_table.totals)
		entry = pf_table_take_unread(task);
	if (entry && entry->state == PF_ENTRY_LIVE) {
		pf_table_name(entry, task->group_leader);
		pf_table_mark_exited(entry);
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	rcu_read_unlock();
	pf_table_press();
}

/* Puts every entry on the free list, the lowest index first to be taken. */
static void pf_table_fill_free(void)
{
	unsigned int i;

	for (i = 0; i < pf_table.capacity; i++)
		list_add_tail(&pf_table.entries[i].list, &pf_table.free);
	pf_table.nr_free = pf_table.capacity;
}

/**
 * pf_table_init() - allocate the table
 * @capacity: entries, PF_MAX_PROCESSES_MIN to PF_MAX_PROCESSES_MAX
 * @totals: whether nothing is counted into it: entries are filled from the
 *	kernel's own counts when they are read
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pf_table_init(unsigned int capacity, bool totals)
{
	unsigned int buckets = roundup_pow_of_two(capacity);

	raw_spin_lock_init(&pf_table.lock);
	INIT_LIST_HEAD(&pf_table.free);
	INIT_LIST_HEAD(&pf_table.exited);
	pf_table.capacity = capacity;
	pf_table.totals = totals;
	pf_table.loaded_ns = totals ? ktime_get_boottime_ns() : U64_MAX;
	pf_table.reserve = clamp(capacity / 8, 1U, 256U);
	pf_table_index.bits = ilog2(buckets);
	pf_table_index.buckets = kvcalloc(buckets, sizeof(*pf_table_index.buckets),
					  GFP_KERNEL);
	/* Not kvcalloc(), which refuses 2 GB and more with a warning. */
	pf_table.entries = __vmalloc(array_size(capacity,
						sizeof(*pf_table.entries)),
				     GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	pf_table.used = kvcalloc(BITS_TO_LONGS(capacity), sizeof(long),
				 GFP_KERNEL);
	if (!pf_table_index.buckets || !pf_table.entries || !pf_table.used) {
		pf_table_destroy();
		return -ENOMEM;
	}
	pf_table_fill_free();
	return 0;
}

/**
 * pf_table_begin() - every fault from here on is counted
 *
 * A process that starts later has no fault that the table has not seen.
 *
 * Context: any.
 */
void pf_table_begin(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pf_table.lock, flags);
	if (!pf_table.totals)
		pf_table.loaded_ns = ktime_get_boottime_ns();
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
}

/* Pids looked at in one RCU section. */
#define PF_TABLE_BATCH	64

/*
 * Gives the process with this tgid its entry, if it may have one. RCU held. A
 * pid that is no tgid, or whose process is released, has no such task.
 */
static void pf_table_meet(struct pid *pid)
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
 * Meets the processes of the next pids from @nr on, as next_tgid() of
 * fs/proc/base.c goes through them. Returns where to go on, 0 at the end.
 */
static int pf_table_meet_batch(int nr)
{
	unsigned int n;

	rcu_read_lock();
	for (n = 0; n < PF_TABLE_BATCH; n++) {
		struct pid *pid = idr_get_next(&init_pid_ns.idr, &nr);

		if (!pid)
			break;
		pf_table_meet(pid);
		nr++;
	}
	rcu_read_unlock();
	return n == PF_TABLE_BATCH ? nr : 0;
}

/**
 * pf_table_fill() - give every process that has an mm its entry
 *
 * Called once the exit hook is in place: a process that exits meanwhile either
 * is seen there or gets no entry (invariant 4). With totals nothing makes
 * entries as processes come, so that it is called again before they are read.
 *
 * Context: process context, may sleep.
 */
void pf_table_fill(void)
{
	int index, nr = 1;

	while ((nr = pf_table_meet_batch(nr)))
		cond_resched();
	if (!pf_table.totals)
		return;
	/* Those older than the module begin to count here. */
	for (index = pf_table_next(0); index >= 0;
	     index = pf_table_next(index + 1)) {
		pf_account_refresh(&pf_table.entries[index]);
		cond_resched();
	}
}

/**
 * pf_table_is_totals() - where the counts come from
 *
 * Context: any.
 * Return: whether from the kernel's own counters, and so no more than minor
 *	and major are known.
 */
bool pf_table_is_totals(void)
{
	return pf_table.totals;
}

/**
 * pf_table_destroy() - free the table
 *
 * Called when nobody counts, exits, reads or reclaims any more; and on a table
 * that was only partly allocated.
 *
 * Context: process context, may sleep.
 */
void pf_table_destroy(void)
{
	unsigned int i;

	for (i = 0; pf_table.entries && i < pf_table.capacity; i++) {
		put_pid(pf_table.entries[i].pid);
		if (pf_table.entries[i].task)
			put_task_struct(pf_table.entries[i].task);
	}
	kvfree(pf_table.used);
	vfree(pf_table.entries);
	kvfree(pf_table_index.buckets);
}

/**
 * pf_table_next() - the next entry in use
 * @index: where to start, itself included
 *
 * Context: any. Entries come and go meanwhile; one that is in use throughout
 *	a walk is met exactly once.
 * Return: its index, or -1.
 */
int pf_table_next(unsigned int index)
{
	if (index < pf_table.capacity)
		/* A bit that changes meanwhile may be seen either way. */
		index = data_race(find_next_bit(pf_table.used,
						pf_table.capacity, index));
	return index < pf_table.capacity ? (int)index : -1;
}

/**
 * pf_table_row() - copy an entry
 * @index: from pf_table_next()
 * @row: on success holds a reference on its pid that the caller puts
 *
 * Context: any. Holds the lock while it adds the cells up, some 500
 *	instructions, so that the entry is not given to another process.
 * Return: whether the entry was in use.
 */
bool pf_table_row(unsigned int index, struct pf_row *row)
{
	struct pf_entry *entry = &pf_table.entries[index];
	unsigned long flags;
	bool used;

	pf_account_refresh(entry);
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	used = entry->state != PF_ENTRY_FREE;
	if (used) {
		row->pid = get_pid(entry->pid);
		row->start_ns = entry->start_ns;
		row->live = entry->state == PF_ENTRY_LIVE;
		memcpy(row->comm, entry->comm, sizeof(row->comm));
		pf_tally_sum(&entry->tally, &row->sums);
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	return used;
}

/* All that was counted since load, summed over the CPUs. */
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

/**
 * pf_table_status() - the table as a whole
 * @status: overwritten; rows and retired sums are of one moment
 *
 * Context: process context, may sleep; not exact while faults are under way.
 */
void pf_table_status(struct pf_table_status *status)
{
	unsigned long flags;

	pf_table_global_sums(&status->global);
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	status->capacity = pf_table.capacity;
	status->live = pf_table.nr_live;
	status->exited = pf_table.capacity - pf_table.nr_free -
			 pf_table.nr_live;
	status->retired_rows = pf_table.retired_rows;
	pf_tally_sum(&pf_table.retired, &status->retired);
	pf_tally_sum(&pf_table.overflow, &status->overflow);
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
}
