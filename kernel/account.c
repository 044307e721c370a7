// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's own count of a thread group's faults; see account.h. */
#include "account.h"

#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "table.h"

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
	struct task_struct *t;
	unsigned long flags;

	rcu_read_lock();
	do {
		seq = next;
		flags = read_seqbegin_or_lock_irqsave(&sig->stats_lock, &seq);
		account->n[PF_MINOR] = sig->min_flt;
		account->n[PF_MAJOR] = sig->maj_flt;
		for_each_thread(task, t) {
			account->n[PF_MINOR] += READ_ONCE(t->min_flt);
			account->n[PF_MAJOR] += READ_ONCE(t->maj_flt);
		}
		next = 1;	/* if it failed without the lock, take it */
	} while (need_seqretry(&sig->stats_lock, seq));
	done_seqretry_irqrestore(&sig->stats_lock, seq, flags);
	rcu_read_unlock();
}

/* Whether a live row does not have what the kernel has counted. */
static bool pf_account_differs(unsigned int index)
{
	struct pf_account ours, kernel;
	struct task_struct *task;
	struct pid *pid;
	bool differs = false;

	/* Ours first: a fault is in the kernel's count before it is in ours. */
	pid = pf_table_counted(index, &ours);
	if (!pid)
		return false;
	task = get_pid_task(pid, PIDTYPE_TGID);
	if (task) {
		pf_account_read(task, &kernel);
		put_task_struct(task);
		differs = pf_table_differs(index, pid, &ours, &kernel);
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
		rows += pf_account_differs(index);
		cond_resched();
	}
	return rows;
}
