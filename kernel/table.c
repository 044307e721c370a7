// SPDX-License-Identifier: GPL-2.0-only
/* The bounded table of processes; invariants and locks are in table.h. */
#include "table.h"

#include <linux/bitmap.h>
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

static unsigned int retain_ms = 60000;
module_param(retain_ms, uint, 0644);
MODULE_PARM_DESC(retain_ms,
		 "how long an exited process keeps its row, in ms (default 60000)");

struct pf_index pf_table_index;

static struct {
	/* Constant after pf_table_init(). */
	struct pf_entry *entries;
	unsigned int capacity;
	unsigned int reserve;	/* below so many free ones, exited ones go */

	raw_spinlock_t lock;
	/* Protected by lock. */
	struct list_head free;
	struct list_head exited;	/* oldest first */
	unsigned int nr_free;		/* also read without it, as a hint */
	unsigned int nr_live;
	unsigned int nr_exited;		/* on the exited list; as nr_free */
	u64 retired_rows;
	unsigned long *used;		/* a bit an entry that is not free */

	/* Added to without the lock. */
	struct pf_tally retired;
	struct pf_tally overflow;

	struct workqueue_struct *wq;
	struct delayed_work reclaim;
	struct irq_work kick;
} pf_table;

DEFINE_PER_CPU(struct pf_cpu_tally, pf_table_global);

/* Wakes the worker when free entries run low and there is one to be had. */
static void pf_table_press(void)
{
	if (READ_ONCE(pf_table.nr_free) < pf_table.reserve &&
	    READ_ONCE(pf_table.nr_exited))
		irq_work_queue(&pf_table.kick);
}
NOKPROBE_SYMBOL(pf_table_press);

/* Takes a free entry for @task's group and hashes it. Lock held. */
static struct pf_entry *pf_table_take(struct task_struct *task,
				      struct pid *pid)
{
	struct task_struct *leader = task->group_leader;
	struct pf_entry *entry;

	entry = list_first_entry_or_null(&pf_table.free, struct pf_entry, list);
	if (!entry)
		return NULL;
	list_del(&entry->list);
	WRITE_ONCE(pf_table.nr_free, pf_table.nr_free - 1);
	pf_table.nr_live++;
	entry->pid = get_pid(pid);
	entry->state = PF_LIVE;
	entry->start_ns = leader->start_boottime;
	memcpy(entry->comm, leader->comm, sizeof(entry->comm));
	hlist_add_head_rcu(&entry->node, pf_table_bucket(pid));
	set_bit(entry - pf_table.entries, pf_table.used);
	return entry;
}
NOKPROBE_SYMBOL(pf_table_take);

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
	struct pf_tally *tally = &pf_table.retired;
	struct pf_entry *entry;
	unsigned long flags;

	if (task->flags & PF_KTHREAD)
		return tally;
	/* A full table is not worth the lock on every fault. */
	if (!READ_ONCE(pf_table.nr_free)) {
		pf_table_press();
		return atomic_read(&task->signal->live) ? &pf_table.overflow :
							  tally;
	}
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	entry = pf_table_find(pid);
	if (entry) {
		tally = &entry->tally;
	} else if (atomic_read(&task->signal->live)) {
		entry = pf_table_take(task, pid);
		tally = entry ? &entry->tally : &pf_table.overflow;
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	pf_table_press();
	return tally;
}
NOKPROBE_SYMBOL(pf_table_insert);

/* Makes a live entry an exited one. Lock held. */
static void pf_table_mark_exited(struct pf_entry *entry)
{
	entry->state = PF_EXITED;
	entry->exit_ns = ktime_get_boottime_ns();
	list_add_tail(&entry->list, &pf_table.exited);
	pf_table.nr_live--;
	WRITE_ONCE(pf_table.nr_exited, pf_table.nr_exited + 1);
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

	raw_spin_lock_irqsave(&pf_table.lock, flags);
	entry = pf_table_find(task_tgid(task));
	if (entry && entry->state == PF_LIVE) {
		memcpy(entry->comm, task->group_leader->comm,
		       sizeof(entry->comm));
		pf_table_mark_exited(entry);
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	pf_table_press();
}

/*
 * Ends live entries whose process is gone all the same. The exit hook leaves
 * none; this is the net below it.
 */
static void pf_table_sweep(void)
{
	unsigned int index;

	for (index = 0;; index++) {
		struct pf_entry *entry;
		unsigned long flags;
		int next = pf_table_next(index);

		if (next < 0)
			return;
		index = next;
		entry = &pf_table.entries[index];
		raw_spin_lock_irqsave(&pf_table.lock, flags);
		if (entry->state == PF_LIVE &&
		    !pid_has_task(entry->pid, PIDTYPE_TGID))
			pf_table_mark_exited(entry);
		raw_spin_unlock_irqrestore(&pf_table.lock, flags);
		cond_resched();
	}
}

/* Whether the oldest exited entry must go now. Lock held. */
static bool pf_table_due(const struct pf_entry *oldest, u64 now,
			 unsigned int retiring)
{
	return pf_table.nr_free + retiring < pf_table.reserve ||
	       now - oldest->exit_ns >= (u64)READ_ONCE(retain_ms) * NSEC_PER_MSEC;
}

/* Unhashes the entries whose time has come and moves them to @retiring. */
static void pf_table_collect(struct list_head *retiring)
{
	u64 now = ktime_get_boottime_ns();
	struct pf_entry *entry;
	unsigned long flags;
	unsigned int n = 0;

	raw_spin_lock_irqsave(&pf_table.lock, flags);
	while (n < 256) {	/* bounds the time with irqs off */
		entry = list_first_entry_or_null(&pf_table.exited,
						 struct pf_entry, list);
		if (!entry || !pf_table_due(entry, now, n))
			break;
		entry->state = PF_RETIRING;
		hlist_del_rcu(&entry->node);
		list_move_tail(&entry->list, retiring);
		WRITE_ONCE(pf_table.nr_exited, pf_table.nr_exited - 1);
		n++;
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
}

/* Gives an entry back, after the grace period: nobody counts into it. */
static void pf_table_retire(struct pf_entry *entry)
{
	struct pid *pid = entry->pid;
	unsigned long flags;

	raw_spin_lock_irqsave(&pf_table.lock, flags);
	pf_tally_merge(&pf_table.retired, &entry->tally);
	pf_tally_clear(&entry->tally);
	pf_table.retired_rows++;
	entry->pid = NULL;
	entry->state = PF_FREE;
	clear_bit(entry - pf_table.entries, pf_table.used);
	list_move(&entry->list, &pf_table.free);
	WRITE_ONCE(pf_table.nr_free, pf_table.nr_free + 1);
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	put_pid(pid);
}

/* How long the worker may sleep: entries go at most that much too late. */
static unsigned long pf_table_pause(void)
{
	return msecs_to_jiffies(clamp(READ_ONCE(retain_ms) / 4, 10U, 1000U));
}

static void pf_table_reclaim(struct work_struct *work)
{
	struct pf_entry *entry, *next;
	LIST_HEAD(retiring);

	pf_table_sweep();
	for (;;) {
		pf_table_collect(&retiring);
		if (list_empty(&retiring))
			break;
		synchronize_rcu();
		list_for_each_entry_safe(entry, next, &retiring, list)
			pf_table_retire(entry);
	}
	queue_delayed_work(pf_table.wq, &pf_table.reclaim, pf_table_pause());
}

static void pf_table_kick(struct irq_work *work)
{
	mod_delayed_work(pf_table.wq, &pf_table.reclaim, 0);
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
 * pf_table_init() - allocate the table and start its worker
 * @capacity: entries, PF_MAX_PROCESSES_MIN to PF_MAX_PROCESSES_MAX
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pf_table_init(unsigned int capacity)
{
	unsigned int buckets = roundup_pow_of_two(capacity);

	raw_spin_lock_init(&pf_table.lock);
	INIT_LIST_HEAD(&pf_table.free);
	INIT_LIST_HEAD(&pf_table.exited);
	pf_table.capacity = capacity;
	pf_table.reserve = clamp(capacity / 8, 1U, 256U);
	pf_table_index.bits = ilog2(buckets);
	pf_table_index.buckets = kvcalloc(buckets, sizeof(*pf_table_index.buckets),
					  GFP_KERNEL);
	pf_table.entries = kvcalloc(capacity, sizeof(*pf_table.entries),
				    GFP_KERNEL);
	pf_table.used = bitmap_zalloc(capacity, GFP_KERNEL);
	pf_table.wq = alloc_workqueue("page_faults", WQ_UNBOUND, 1);
	INIT_DELAYED_WORK(&pf_table.reclaim, pf_table_reclaim);
	init_irq_work(&pf_table.kick, pf_table_kick);
	if (!pf_table_index.buckets || !pf_table.entries || !pf_table.used ||
	    !pf_table.wq) {
		pf_table_destroy();
		return -ENOMEM;
	}
	pf_table_fill_free();
	queue_delayed_work(pf_table.wq, &pf_table.reclaim, pf_table_pause());
	return 0;
}

/**
 * pf_table_fill() - give every process that has an mm its entry
 *
 * Called once the exit hook is in place: a process that exits meanwhile either
 * is seen there or gets no entry (invariant 4).
 *
 * Context: process context.
 */
void pf_table_fill(void)
{
	struct task_struct *leader;

	rcu_read_lock();
	for_each_process(leader) {
		struct pid *pid;

		if (leader->flags & PF_KTHREAD)
			continue;
		pid = task_tgid(leader);
		if (!pid)	/* being released */
			continue;
		preempt_disable();
		pf_table_tally(leader);
		preempt_enable();
	}
	rcu_read_unlock();
}

/**
 * pf_table_stop() - stop the worker
 *
 * Called when nothing counts or exits into the table any more. A kick that
 * was queued before is waited for, so that none can queue the work again.
 *
 * Context: process context, may sleep.
 */
void pf_table_stop(void)
{
	irq_work_sync(&pf_table.kick);
	cancel_delayed_work_sync(&pf_table.reclaim);
}

/**
 * pf_table_destroy() - free the table
 *
 * Called when nobody counts, exits or reads any more and the worker is
 * stopped; and on a table that was only partly allocated.
 *
 * Context: process context, may sleep.
 */
void pf_table_destroy(void)
{
	unsigned int i;

	if (pf_table.wq)
		destroy_workqueue(pf_table.wq);
	for (i = 0; pf_table.entries && i < pf_table.capacity; i++)
		put_pid(pf_table.entries[i].pid);
	bitmap_free(pf_table.used);
	kvfree(pf_table.entries);
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

	raw_spin_lock_irqsave(&pf_table.lock, flags);
	used = entry->state != PF_FREE;
	if (used) {
		row->pid = get_pid(entry->pid);
		row->start_ns = entry->start_ns;
		row->live = entry->state == PF_LIVE;
		memcpy(row->comm, entry->comm, sizeof(row->comm));
		pf_tally_sum(&entry->tally, &row->sums);
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	return used;
}

/**
 * pf_table_global_sums() - all that was counted since load
 * @sums: overwritten with the sums over the CPUs
 *
 * Context: process context; not exact while faults are under way.
 */
void pf_table_global_sums(struct pf_sums *sums)
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
 * Context: process context.
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
