// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual and resident memory of a process, taken when it is read.
 *
 * The mm is read under task_lock() of a thread that has it: exit_mm() clears
 * task->mm under the same lock before it drops its reference, so the mm stays
 * as long as the lock is held. No reference is taken, so that the last one,
 * and with it the tearing down of a large process, never falls to a reader;
 * and mmap_lock is never touched, so that a reader never waits for a process
 * that is stuck in a fault.
 *
 * Lock order: RCU > task_lock > the counters' own raw lock.
 */
#include "memory.h"

#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/string.h>

#include "compat.h"
#include "racy.h"

static u64 pf_memory_counter(struct mm_struct *mm, struct task_struct *group,
			     int member)
{
	long pages = pf_compat_mm_counter(mm, member);

	if (PF_TASKS_HOLD_COUNTERS) {
		struct task_struct *t;

		for_each_thread(group, t)
			/* Only compared; changes under that thread's lock. */
			if (pf_racy_read(t->mm) == mm)
				pages += pf_compat_task_counter(t, member);
	}
	return max(pages, 0L);
}

/*
 * Reads @task's mm if it has one. RCU is held, @task's group cannot go away.
 */
static bool pf_memory_of_task(struct task_struct *task,
			      struct pf_memory *memory)
{
	struct mm_struct *mm;

	task_lock(task);
	mm = task->mm;
	/* Other flags change, without a mark. */
	if (mm && !(pf_racy_read(task->flags) & PF_KTHREAD)) {
		memory->vma = READ_ONCE(mm->total_vm);
		memory->anon = pf_memory_counter(mm, task, MM_ANONPAGES);
		memory->file = pf_memory_counter(mm, task, MM_FILEPAGES);
		memory->shmem = pf_memory_counter(mm, task, MM_SHMEMPAGES);
		memory->swap = pf_memory_counter(mm, task, MM_SWAPENTS);
		memory->hugetlb = pf_compat_hugetlb_usage(mm);
	}
	task_unlock(task);
	return mm;
}

/**
 * pf_memory_read() - the memory and name of a process
 * @pid: its tgid
 * @memory: overwritten; 0 for one that has no mm any more
 * @comm: its group leader's name, TASK_COMM_LEN bytes and ended by a NUL;
 *	left alone if there is no such process any more
 *
 * A group whose leader has exited goes on in its other threads: the leader has
 * no mm then, but one of them has.
 *
 * Context: any but hard interrupt. Takes task_lock.
 * Return: whether the process was still there.
 */
bool pf_memory_read(struct pid *pid, struct pf_memory *memory, char *comm)
{
	struct task_struct *leader, *t;

	memset(memory, 0, sizeof(*memory));
	rcu_read_lock();
	leader = pid_task(pid, PIDTYPE_TGID);
	if (leader) {
		task_lock(leader);
		/* Newer kernels change it without the lock (set_task_comm()). */
		data_race(memcpy(comm, leader->comm, TASK_COMM_LEN));
		task_unlock(leader);
		comm[TASK_COMM_LEN - 1] = '\0';
		for_each_thread(leader, t)
			if (pf_memory_of_task(t, memory))
				break;
	}
	rcu_read_unlock();
	return leader;
}
