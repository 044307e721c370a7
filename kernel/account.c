// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own count of a thread group's faults, and its comparison with an
 * entry's count; see account.h.
 */
#include "account.h"

#include <linux/kprobes.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "table_private.h"

/* Reads a group's count once; exact if no thread was released meanwhile. */
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

/*
 * Reads the count of @task's group. When a thread is released, its counters
 * move to the signal_struct and it leaves the group, both under stats_lock
 * (__exit_signal() in kernel/exit.c). A reading that overlaps with that is
 * repeated, so that each thread is added once; this is how
 * thread_group_cputime() reads.
 */
static void pf_account_read(struct task_struct *task,
			    struct pf_account *account)
{
	struct signal_struct *sig = task->signal;
	unsigned int seq, next = 0;
	unsigned long flags;

	rcu_read_lock();
	do {
		seq = next;
		flags = read_seqbegin_or_lock_irqsave(&sig->stats_lock, &seq);
		pf_account_sum(task, account);
		next = 1;	/* the second time under the lock */
	} while (need_seqretry(&sig->stats_lock, seq));
	done_seqretry_irqrestore(&sig->stats_lock, seq, flags);
	rcu_read_unlock();
}

/**
 * pf_account_set_base() - set what the kernel had counted before the entry did
 * @entry: a new entry
 *
 * It is 0 for a group that started after counting began, unless the table was
 * once full: then the group may have counted into the overflow before.
 * Otherwise it is not known, which is U64_MAX; pf_account_compare() finds it out
 * later.
 *
 * Context: the table's lock held.
 */
void pf_account_set_base(struct pf_entry *entry)
{
	bool known = entry->start_ns >= pf_table.loaded_ns &&
		     !pf_table.overflowed;

	entry->base.n[PF_SEVERITY_MINOR] = known ? 0 : U64_MAX;
	entry->base.n[PF_SEVERITY_MAJOR] = known ? 0 : U64_MAX;
}
NOKPROBE_SYMBOL(pf_account_set_base);

/* Sums one severity's cells: its completed faults. */
static u64 pf_account_severity(const struct pf_tally *tally,
			       unsigned int severity)
{
	const atomic64_t *cell =
		&tally->n[PF_COUNTER_CELLS + severity * PF_SHAPES];
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < PF_SHAPES; i++)
		sum += atomic64_read(&cell[i]);
	return sum;
}

/*
 * Reads what a live entry has counted. Returns its pid, with a reference that
 * the caller puts, or NULL if the entry is not live.
 */
static struct pid *pf_account_counted(struct pf_entry *entry,
				      struct pf_account *counted)
{
	struct pf_tally __percpu *cpus = NULL;
	struct pid *pid = NULL;
	struct pf_tally tally;
	unsigned long flags;
	unsigned int s;

	rcu_read_lock();
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	if (entry->state == PF_ENTRY_LIVE) {
		pid = get_pid(entry->pid);
		cpus = pf_table_copy(entry, &tally);
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	if (pid) {
		pf_tally_gather(&tally, cpus);
		for (s = 0; s < PF_SEVERITIES; s++)
			counted->n[s] = pf_account_severity(&tally, s);
	}
	rcu_read_unlock();
	return pid;
}

/*
 * Whether the entry has a fault too few or too many. The base is what the
 * kernel had counted before the entry did. It is known for a process that is
 * younger than the module. For others it is the least difference seen so far,
 * because a fault under way can only make the difference larger.
 */
static bool pf_account_compare(struct pf_entry *entry, const struct pid *pid,
			       const struct pf_account *counted,
			       const struct pf_account *kernel)
{
	bool differs = false;
	unsigned long flags;
	unsigned int s;
	bool live;

	raw_spin_lock_irqsave(&pf_table.lock, flags);
	/* The entry of a process that has exited meanwhile has no base. */
	live = entry->pid == pid && entry->state == PF_ENTRY_LIVE;
	for (s = 0; live && s < PF_SEVERITIES; s++) {
		u64 base = kernel->n[s] - counted->n[s];

		if (entry->base.n[s] && base < entry->base.n[s])
			entry->base.n[s] = base;
		differs |= base != entry->base.n[s];
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	return differs;
}

/* Whether the entry is live and its count differs from the kernel's. */
static bool pf_account_differs(struct pf_entry *entry)
{
	struct pf_account ours, kernel;
	struct task_struct *task;
	struct pid *pid;
	bool differs = false;

	/* Ours first, because the kernel counts a fault before we do. */
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
 * pf_account_differing_rows() - compare every live row with the kernel's count
 *
 * Context: process context, may sleep. A process that faults meanwhile can
 *	differ by the faults that are under way.
 * Return: the number of rows that differ.
 */
unsigned int pf_account_differing_rows(void)
{
	unsigned int rows = 0;
	int index;

	for (index = pf_table_next(0); index >= 0;
	     index = pf_table_next(index + 1)) {
		rows += pf_account_differs(&pf_table_fixed.entries[index]);
		cond_resched();
	}
	return rows;
}
