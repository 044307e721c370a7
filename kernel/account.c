// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own count of a thread group's faults, and what ties an entry to
 * it; see account.h.
 */
#include "account.h"

#include <linux/kprobes.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "table_private.h"

/* One reading of a group's count, whole if nobody was released meanwhile. */
static void pf_account_sum(struct task_struct *task, struct pf_account *account)
{
	struct task_struct *t;

	account->n[PF_SEVERITY_MINOR] = pf_racy_read(task->signal->min_flt);
	account->n[PF_SEVERITY_MAJOR] = pf_racy_read(task->signal->maj_flt);
	for_each_thread(task, t) {
		account->n[PF_SEVERITY_MINOR] += pf_racy_read(t->min_flt);
		account->n[PF_SEVERITY_MAJOR] += pf_racy_read(t->maj_flt);
	}
}

/**
 * pf_account_read() - the kernel's count for a thread group
 * @task: any of its tasks; a reference is held, it may have been released
 * @account: overwritten
 *
 * A thread's counters move to its signal_struct when it is released, under
 * stats_lock together with its removal from the group (kernel/exit.c,
 * __exit_signal), so that each is added once; as thread_group_cputime() does.
 *
 * Context: any but hard interrupt, and not under a raw lock. A group that runs
 *	counts on meanwhile.
 */
void pf_account_read(struct task_struct *task, struct pf_account *account)
{
	struct signal_struct *sig = task->signal;
	unsigned int seq, next = 0;
	unsigned long flags;

	rcu_read_lock();
	do {
		seq = next;
		flags = read_seqbegin_or_lock_irqsave(&sig->stats_lock, &seq);
		pf_account_sum(task, account);
		next = 1;	/* if it failed without the lock, take it */
	} while (need_seqretry(&sig->stats_lock, seq));
	done_seqretry_irqrestore(&sig->stats_lock, seq, flags);
	rcu_read_unlock();
}

/* Of stats_lock, itself: its readers sleep on PREEMPT_RT while it is odd. */
static unsigned int pf_account_sequence(const struct signal_struct *sig)
{
	return pf_racy_read(sig->stats_lock.seqcount.seqcount.sequence);
}

/* A thread's release is some dozens of instructions with irqs off. */
#define PF_ACCOUNT_SPINS	64

/* Readings of a group: few, since it may have as many threads as there are pids. */
#define PF_ACCOUNT_TRIES	8

/* The sequence once no thread is being released, or after a while. */
static unsigned int pf_account_await(const struct signal_struct *sig)
{
	unsigned int seq = pf_account_sequence(sig), spins;

	for (spins = 0; (seq & 1) && spins < PF_ACCOUNT_SPINS; spins++) {
		cpu_relax();
		seq = pf_account_sequence(sig);
	}
	return seq;
}

/**
 * pf_account_peek() - as pf_account_read(), from where nothing may sleep
 * @task: a task that is not released
 * @account: overwritten
 *
 * Gives up on a group of which threads are released all the while, or one whose
 * CPU the host does not run: these are then counted not at all or twice.
 *
 * Context: any in which RCU is held, under a raw lock too.
 */
void pf_account_peek(struct task_struct *task, struct pf_account *account)
{
	const struct signal_struct *sig = task->signal;
	unsigned int seq, tries;

	for (tries = 0; tries < PF_ACCOUNT_TRIES; tries++) {
		seq = pf_account_await(sig);
		smp_rmb();	/* with those of the writer's seqcount */
		pf_account_sum(task, account);
		smp_rmb();	/* see above */
		if ((seq & 1) || seq == pf_account_sequence(sig))
			return;
	}
}

/**
 * pf_account_set_base() - what the kernel had counted before the entry does
 * @entry: a new one
 *
 * A group that started after counting began has 0, unless with full it was
 * refused an entry at first; for others the value is only a bound until
 * pf_account_differs() or, with totals, pf_account_rebase() has looked.
 *
 * Context: the table's lock held.
 */
void pf_account_set_base(struct pf_entry *entry)
{
	bool known = entry->start_ns >= pf_table.loaded_ns &&
		     (pf_table.totals || !pf_table.overflowed);

	entry->base.n[PF_SEVERITY_MINOR] = known ? 0 : U64_MAX;
	entry->base.n[PF_SEVERITY_MAJOR] = known ? 0 : U64_MAX;
}
NOKPROBE_SYMBOL(pf_account_set_base);

/* Sets a tally's minor and major from the kernel's count. Lock held. */
static void pf_account_rebase(struct pf_entry *entry,
			      const struct pf_account *kernel)
{
	unsigned int s;

	for (s = 0; s < PF_SEVERITIES; s++) {
		atomic64_t *cell = &entry->tally.n[s * PF_SHAPES];
		u64 old = atomic64_read(cell);
		u64 now;

		/* Not known when the entry was made: it begins to count now. */
		if (entry->base.n[s] == U64_MAX)
			entry->base.n[s] = kernel->n[s];
		/*
		 * Readers race; the larger is the later. One from before the
		 * base was taken must not wrap.
		 */
		if (kernel->n[s] <= entry->base.n[s] + old)
			continue;
		now = kernel->n[s] - entry->base.n[s];
		atomic64_set(cell, now);
		this_cpu_add(pf_table_global.n[s * PF_SHAPES], now - old);
	}
}

/**
 * pf_account_refresh() - with totals: bring an entry up to the kernel's count
 * @entry: in any state
 *
 * Context: any but hard interrupt; not under the table's lock.
 */
void pf_account_refresh(struct pf_entry *entry)
{
	struct task_struct *task = NULL;
	struct pf_account kernel;
	unsigned long flags;

	if (!pf_table.totals)
		return;
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	if (entry->state != PF_ENTRY_FREE)
		task = get_task_struct(entry->task);
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	if (!task)
		return;
	pf_account_read(task, &kernel);
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	if (entry->task == task)
		pf_account_rebase(entry, &kernel);
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	put_task_struct(task);
}

/* Sums one severity's cells: its completed faults. */
static u64 pf_account_severity(const struct pf_tally *tally,
			       unsigned int severity)
{
	const atomic64_t *cell = &tally->n[severity * PF_SHAPES];
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < PF_SHAPES; i++)
		sum += atomic64_read(&cell[i]);
	return sum;
}

/*
 * What a live entry has counted. Returns its pid, of which the caller puts a
 * reference, or NULL if it is not a live one.
 */
static struct pid *pf_account_counted(struct pf_entry *entry,
				      struct pf_account *counted)
{
	struct pid *pid = NULL;
	unsigned long flags;
	unsigned int s;

	raw_spin_lock_irqsave(&pf_table.lock, flags);
	if (entry->state == PF_ENTRY_LIVE) {
		pid = get_pid(entry->pid);
		for (s = 0; s < PF_SEVERITIES; s++)
			counted->n[s] = pf_account_severity(&entry->tally, s);
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	return pid;
}

/*
 * Whether the entry lacks a fault, or has one too many. What the kernel had
 * counted before the entry began is known for a young process; for others it
 * is the least difference ever seen, since a fault under way only adds to it.
 */
static bool pf_account_compare(struct pf_entry *entry, const struct pid *pid,
			       const struct pf_account *counted,
			       const struct pf_account *kernel)
{
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

/* Whether a live row does not have what the kernel has counted. */
static bool pf_account_differs(struct pf_entry *entry)
{
	struct pf_account ours, kernel;
	struct task_struct *task;
	struct pid *pid;
	bool differs = false;

	/* Ours first: a fault is in the kernel's count before it is in ours. */
	pid = pf_account_counted(entry, &ours);
	if (!pid)
		return false;
	task = get_pid_task(pid, PIDTYPE_TGID);
	if (task) {
		pf_account_read(task, &kernel);
		put_task_struct(task);
		differs = pf_account_compare(entry, pid, &ours, &kernel);
	}
	put_pid(pid);
	return differs;
}

/**
 * pf_account_differing_rows() - check every live row
 *
 * Context: process context, may sleep. Processes that fault meanwhile may
 *	differ by what is under way.
 * Return: rows that have not what the kernel has counted.
 */
unsigned int pf_account_differing_rows(void)
{
	unsigned int rows = 0;
	int index;

	for (index = pf_table_next(0); index >= 0;
	     index = pf_table_next(index + 1)) {
		rows += pf_account_differs(&pf_table.entries[index]);
		cond_resched();
	}
	return rows;
}
