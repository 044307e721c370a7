// SPDX-License-Identifier: GPL-2.0-only
/*
 * The worker. It frees the entries of exited processes: when their retention
 * ends, or earlier and oldest first when few entries are free. Nothing else
 * frees an entry. It also gives blocks and takes them back; see blocks.h.
 */
#include "reclaim.h"

#include <linux/cache.h>
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/moduleparam.h>
#include <linux/workqueue.h>

#include "table_private.h"

/* How many entries are looked at in one hold of the lock, with irqs off. */
#define PF_RECLAIM_BATCH	256

/* The least time between two looks at the same entries. */
#define PF_RECLAIM_PAUSE_MIN_MS	10U

/* sysfs writes it at any time, without WRITE_ONCE(). */
static unsigned int retain_ms = 60000;
module_param(retain_ms, uint, 0644);
MODULE_PARM_DESC(retain_ms,
		 "how long an exited process keeps its row, in ms (default 60000)");

static struct workqueue_struct *pf_reclaim_wq __ro_after_init;
static struct delayed_work pf_reclaim_work;
static struct irq_work pf_reclaim_irq_work;

/*
 * Whether the worker was kicked and has not run since. Then further faults of
 * processes without an entry do not kick it.
 */
static bool pf_reclaim_kicked;

/* When the whole table is looked at next, in jiffies. */
static unsigned long pf_reclaim_next_scan;

/*
 * Marks live entries as exited whose process is gone. The exit hook does that
 * for every process; this is a safeguard in case it missed one.
 */
static void pf_reclaim_sweep(void)
{
	int index;

	for (index = pf_table_next(0); index >= 0;
	     index = pf_table_next(index + 1)) {
		struct pf_entry *entry = &pf_table_fixed.entries[index];
		unsigned long flags;

		raw_spin_lock_irqsave(&pf_table.lock, flags);
		if (entry->state == PF_ENTRY_LIVE &&
		    !pid_has_task(entry->pid, PIDTYPE_TGID))
			pf_table_mark_exited(entry, 0);
		raw_spin_unlock_irqrestore(&pf_table.lock, flags);
		cond_resched();
	}
}

/*
 * Whether an exited entry is to be freed now, if @retiring entries are already
 * on their way to the free list. Lock held.
 */
static bool pf_reclaim_is_due(const struct pf_entry *entry, u64 now,
			      unsigned int retiring)
{
	return pf_table.nr_free + retiring < pf_table_fixed.reserve ||
	       now - entry->exit_ns >= (u64)pf_racy_read(retain_ms) * NSEC_PER_MSEC;
}

/*
 * Takes entries that are due from the start of the exited list, at most a batch.
 * Unhashes them and moves them to @retiring. There can be more that are due.
 */
static void pf_reclaim_collect(struct list_head *retiring)
{
	unsigned int n = 0;
	struct pf_entry *entry, *next;
	unsigned long flags;
	u64 now;

	raw_spin_lock_irqsave(&pf_table.lock, flags);
	now = ktime_get_boottime_ns();
	list_for_each_entry_safe(entry, next, &pf_table.exited, list) {
		if (n == PF_RECLAIM_BATCH || !pf_reclaim_is_due(entry, now, n))
			break;
		entry->state = PF_ENTRY_RETIRING;
		hlist_del_rcu(&entry->node);
		list_move_tail(&entry->list, retiring);
		n++;
	}
	WRITE_ONCE(pf_table.nr_exited, pf_table.nr_exited - n);
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
}

/* Frees an entry. Called after a grace period: nothing adds to it any more. */
static void pf_reclaim_free(struct pf_entry *entry)
{
	struct pid *pid = entry->pid;
	unsigned long flags;

	pf_blocks_merge(entry);
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	pf_tally_merge(this_cpu_ptr(pf_table_fixed.retired), &entry->tally);
	pf_tally_clear(&entry->tally);
	pf_table.retired_rows++;
	entry->pid = NULL;
	entry->state = PF_ENTRY_FREE;
	clear_bit(entry - pf_table_fixed.entries, pf_table_fixed.used);
	list_move(&entry->list, &pf_table.free);
	WRITE_ONCE(pf_table.nr_free, pf_table.nr_free + 1);
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	put_pid(pid);
}

/* How long the worker sleeps; an entry is freed at most that much too late. */
static unsigned long pf_reclaim_pause(void)
{
	return msecs_to_jiffies(clamp(pf_racy_read(retain_ms) / 4,
				      PF_RECLAIM_PAUSE_MIN_MS, 1000U));
}

/*
 * Frees a batch of entries that are due, and gives blocks and takes them back;
 * returns whether to go on. Both wait for the same grace period.
 */
static bool pf_reclaim_round(void)
{
	struct pf_entry *entry, *next;
	LIST_HEAD(retiring);
	bool leaving, more;

	leaving = pf_blocks_leave();
	pf_reclaim_collect(&retiring);
	more = !list_empty(&retiring);
	if (leaving || more)
		synchronize_rcu();
	if (leaving)
		pf_blocks_settle();
	list_for_each_entry_safe(entry, next, &retiring, list) {
		pf_reclaim_free(entry);
		cond_resched();
	}
	/* The last step, because it may have to wait for memory. */
	pf_blocks_assign();
	return more;
}

/* Goes through the whole table: at intervals, not on every kick. */
static void pf_reclaim_scan(void)
{
	if (time_before(jiffies, pf_reclaim_next_scan))
		return;
	pf_reclaim_sweep();
	pf_reclaim_next_scan = jiffies + pf_reclaim_pause();
}

/*
 * The work: runs after its pause, and when pf_reclaim_kick() says that few
 * entries are free. A run frees one batch and queues the next run, so that a run
 * ends even if processes never stop exiting.
 */
static void pf_reclaim_run(struct work_struct *work)
{
	bool more;

	WRITE_ONCE(pf_reclaim_kicked, false);
	more = pf_reclaim_round();
	pf_reclaim_scan();
	queue_delayed_work(pf_reclaim_wq, &pf_reclaim_work,
			   more ? 0 :
				  min(pf_reclaim_pause(), pf_blocks_pause()));
}

static void pf_reclaim_on_irq(struct irq_work *work)
{
	mod_delayed_work(pf_reclaim_wq, &pf_reclaim_work, 0);
}

/**
 * pf_reclaim_kick() - wake the worker
 *
 * Through an irq_work, because a thread that faults may hold any lock. No kick is
 * lost: its reason was written under the table's lock, and the worker takes this
 * lock after it has noted that it runs.
 *
 * Context: any, a probe's handler included.
 */
void pf_reclaim_kick(void)
{
	if (READ_ONCE(pf_reclaim_kicked))
		return;
	/*
	 * Once the flag is set no other CPU kicks, so this thread must not be
	 * preempted before it has queued the work.
	 */
	preempt_disable_notrace();
	WRITE_ONCE(pf_reclaim_kicked, true);
	irq_work_queue(&pf_reclaim_irq_work);
	preempt_enable_notrace();
}
NOKPROBE_SYMBOL(pf_reclaim_kick);

/**
 * pf_reclaim_init() - make the worker; it runs when it is kicked
 *
 * Context: process context, may sleep; before anything can kick it.
 * Return: 0 or -ENOMEM.
 */
int pf_reclaim_init(void)
{
	pf_reclaim_next_scan = jiffies;
	INIT_DELAYED_WORK(&pf_reclaim_work, pf_reclaim_run);
	init_irq_work(&pf_reclaim_irq_work, pf_reclaim_on_irq);
	pf_reclaim_wq = alloc_workqueue("page_faults", WQ_UNBOUND, 1);
	return pf_reclaim_wq ? 0 : -ENOMEM;
}

/**
 * pf_reclaim_start() - let the worker also run periodically
 *
 * Context: process context; the exit hook is in place.
 */
void pf_reclaim_start(void)
{
	queue_delayed_work(pf_reclaim_wq, &pf_reclaim_work, pf_reclaim_pause());
}

/**
 * pf_reclaim_exit() - stop the worker
 *
 * Called when nothing counts or exits any more, so that nothing kicks the
 * worker. Waits for a kick under way first, because it would queue the work
 * again.
 *
 * Context: process context, may sleep.
 */
void pf_reclaim_exit(void)
{
	irq_work_sync(&pf_reclaim_irq_work);
	cancel_delayed_work_sync(&pf_reclaim_work);
	destroy_workqueue(pf_reclaim_wq);
}
