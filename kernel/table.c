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
	bool totals;		/* entries are filled from the kernel's counts */
	u64 loaded_ns;		/* boot time */

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

/*
 * What the kernel had counted before the entry does. A group younger than the
 * module begins with its own first fault, unless it found no room at first;
 * for others the value is only a bound until pf_table_differs() or, with
 * totals, pf_table_rebase() has looked.
 */
static void pf_table_set_base(struct pf_entry *entry)
{
	bool young = entry->start_ns >= pf_table.loaded_ns &&
		     !atomic64_read(&pf_table.overflow.n[0]);

	entry->base.n[PF_MINOR] = young ? 0 : U64_MAX;
	entry->base.n[PF_MAJOR] = young ? 0 : U64_MAX;
}
NOKPROBE_SYMBOL(pf_table_set_base);

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
	pf_table_set_base(entry);
	entry->task = pf_table.totals ? get_task_struct(leader) : NULL;
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

/* With totals: the entry of a process that dies before anybody read it. */
static struct pf_entry *pf_table_take_unread(struct task_struct *task)
{
	struct pf_entry *entry = pf_table_take(task, task_tgid(task));

	if (!entry) {
		atomic64_add(task->min_flt, &pf_table.overflow.n[0]);
		atomic64_add(task->maj_flt, &pf_table.overflow.n[PF_SHAPES]);
	}
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

	raw_spin_lock_irqsave(&pf_table.lock, flags);
	entry = pf_table_find(task_tgid(task));
	if (!entry && pf_table.totals)
		entry = pf_table_take_unread(task);
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

/* Sets a tally's minor and major from the kernel's count. Lock held. */
static void pf_table_rebase(struct pf_entry *entry,
			    const struct pf_account *kernel)
{
	unsigned int s;

	for (s = 0; s < PF_SEVERITIES; s++) {
		/* Not known when the entry was made: it begins to count now. */
		if (entry->base.n[s] == U64_MAX)
			entry->base.n[s] = kernel->n[s];
		/* Readers race; the larger is the later. */
		if (kernel->n[s] - entry->base.n[s] >
		    atomic64_read(&entry->tally.n[s * PF_SHAPES]))
			atomic64_set(&entry->tally.n[s * PF_SHAPES],
				     kernel->n[s] - entry->base.n[s]);
	}
}

/* With totals: brings an entry's tally up to the kernel's count. */
static void pf_table_refresh(struct pf_entry *entry)
{
	struct task_struct *task = NULL;
	struct pf_account kernel;
	unsigned long flags;

	if (!pf_table.totals)
		return;
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	if (entry->state != PF_FREE)
		task = get_task_struct(entry->task);
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	if (!task)
		return;
	pf_account_read(task, &kernel);
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	if (entry->task == task)
		pf_table_rebase(entry, &kernel);
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	put_task_struct(task);
}

/* Whether an exited entry must go now. Lock held. */
static bool pf_table_due(const struct pf_entry *entry, u64 now,
			 unsigned int retiring)
{
	return pf_table.nr_free + retiring < pf_table.reserve ||
	       now - entry->exit_ns >= (u64)READ_ONCE(retain_ms) * NSEC_PER_MSEC;
}

/* Whether it may: invariant 4. Lock held. */
static bool pf_table_may_go(const struct pf_entry *entry)
{
	return !pf_table.totals || !pid_has_task(entry->pid, PIDTYPE_TGID);
}

/* Unhashes the entries whose time has come and moves them to @retiring. */
static void pf_table_collect(struct list_head *retiring)
{
	u64 now = ktime_get_boottime_ns();
	unsigned int n = 0, looked_at = 0;
	struct pf_entry *entry, *next;
	unsigned long flags;

	raw_spin_lock_irqsave(&pf_table.lock, flags);
	list_for_each_entry_safe(entry, next, &pf_table.exited, list) {
		/* Bounds the time with irqs off. */
		if (looked_at++ == 256 || !pf_table_due(entry, now, n))
			break;
		if (!pf_table_may_go(entry))
			continue;
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
	struct task_struct *task = entry->task;
	struct pid *pid = entry->pid;
	unsigned long flags;

	pf_table_refresh(entry);
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	pf_tally_merge(&pf_table.retired, &entry->tally);
	pf_tally_clear(&entry->tally);
	pf_table.retired_rows++;
	entry->pid = NULL;
	entry->task = NULL;
	entry->state = PF_FREE;
	clear_bit(entry - pf_table.entries, pf_table.used);
	list_move(&entry->list, &pf_table.free);
	WRITE_ONCE(pf_table.nr_free, pf_table.nr_free + 1);
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	put_pid(pid);
	if (task)
		put_task_struct(task);
}

/* How long the worker may sleep: entries go at most that much too late. */
static unsigned long pf_table_pause(void)
{
	return msecs_to_jiffies(clamp(READ_ONCE(retain_ms) / 4, 10U, 1000U));
}

/* Wakes up on time, and when pf_table_press() finds free entries low. */
static void pf_table_reclaim(struct work_struct *work)
{
	struct pf_entry *entry, *next;
	LIST_HEAD(retiring);

	if (pf_table.totals)
		pf_table_fill();
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
	pf_table.loaded_ns = ktime_get_boottime_ns();
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

/* The entry of a process, made if it may have one. RCU held. */
static void pf_table_meet(struct task_struct *leader)
{
	struct pid *pid = task_tgid(leader);

	if ((leader->flags & PF_KTHREAD) || !pid)	/* or being released */
		return;
	preempt_disable();
	pf_table_tally(leader);
	preempt_enable();
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
	struct task_struct *leader;
	int index;

	rcu_read_lock();
	for_each_process(leader)
		pf_table_meet(leader);
	rcu_read_unlock();
	if (!pf_table.totals)
		return;
	/* Those older than the module begin to count here. */
	for (index = pf_table_next(0); index >= 0;
	     index = pf_table_next(index + 1))
		pf_table_refresh(&pf_table.entries[index]);
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
	for (i = 0; pf_table.entries && i < pf_table.capacity; i++) {
		put_pid(pf_table.entries[i].pid);
		if (pf_table.entries[i].task)
			put_task_struct(pf_table.entries[i].task);
	}
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

	pf_table_refresh(entry);
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

/* Sums one severity's cells: its completed faults. */
static u64 pf_table_severity(const struct pf_tally *tally, unsigned int severity)
{
	const atomic64_t *cell = &tally->n[severity * PF_SHAPES];
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < PF_SHAPES; i++)
		sum += atomic64_read(&cell[i]);
	return sum;
}

/**
 * pf_table_counted() - what a live entry has counted
 * @index: from pf_table_next()
 * @counted: on success, faults by severity
 *
 * Context: any.
 * Return: the entry's pid, of which the caller puts a reference; NULL if the
 *	entry is not a live one.
 */
struct pid *pf_table_counted(unsigned int index, struct pf_account *counted)
{
	struct pf_entry *entry = &pf_table.entries[index];
	struct pid *pid = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&pf_table.lock, flags);
	if (entry->state == PF_LIVE) {
		pid = get_pid(entry->pid);
		counted->n[PF_MINOR] = pf_table_severity(&entry->tally, PF_MINOR);
		counted->n[PF_MAJOR] = pf_table_severity(&entry->tally, PF_MAJOR);
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	return pid;
}

/**
 * pf_table_differs() - hold an entry against the kernel's count
 * @index: of pf_table_counted()
 * @pid: what that returned
 * @counted: what that had counted
 * @kernel: what the kernel had counted then or a little later
 *
 * What the kernel had counted before the entry began is known for a young
 * process; for others it is the least difference ever seen, since a fault
 * under way only adds to it.
 *
 * Context: any.
 * Return: whether the entry lacks a fault, or has one too many.
 */
bool pf_table_differs(unsigned int index, const struct pid *pid,
		      const struct pf_account *counted,
		      const struct pf_account *kernel)
{
	struct pf_entry *entry = &pf_table.entries[index];
	bool differs = false;
	unsigned long flags;
	unsigned int s;

	raw_spin_lock_irqsave(&pf_table.lock, flags);
	for (s = 0; entry->pid == pid && s < PF_SEVERITIES; s++) {
		u64 base = kernel->n[s] - counted->n[s];

		if (entry->base.n[s] && base < entry->base.n[s])
			entry->base.n[s] = base;
		differs |= base != entry->base.n[s];
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	return differs;
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

/*
 * With totals there is nothing but the rows: the global sums are theirs and
 * those of what they leave out.
 */
static void pf_table_total_sums(struct pf_table_status *status)
{
	const struct pf_sums *rest[] = { &status->retired, &status->overflow };
	struct pf_row *row = kmalloc(sizeof(*row), GFP_KERNEL);
	unsigned int i, s;
	int index;

	for (i = 0; i < ARRAY_SIZE(rest); i++)
		for (s = PF_SUM_FAULTS; s <= PF_SUM_MAJOR; s++)
			status->global.v[s] += rest[i]->v[s];
	for (index = pf_table_next(0); row && index >= 0;
	     index = pf_table_next(index + 1)) {
		if (!pf_table_row(index, row))
			continue;
		put_pid(row->pid);
		for (s = PF_SUM_FAULTS; s <= PF_SUM_MAJOR; s++)
			status->global.v[s] += row->sums.v[s];
	}
	kfree(row);
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
	if (pf_table.totals)
		pf_table_total_sums(status);
}
