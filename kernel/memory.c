// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual and resident memory of a process, taken when it is read.
 *
 * A thread's mm is looked up under task_lock(), since exit_mm() and exec clear
 * or replace task->mm under it. The reference taken there is on the structure
 * (mmgrab), not on the address space (mmget): a reader never becomes the one
 * that tears a large process down. mmap_lock is never taken, so that a reader
 * never waits for a process that is stuck in a fault.
 *
 * Lock order: RCU > task_lock, and RCU > the counters' own raw lock.
 */
#include "memory.h"

#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/string.h>

#include "compat.h"
#include "racy.h"

/* The mm of @task, with a reference that mmdrop() puts; NULL if it has none. */
static struct mm_struct *pf_memory_grab(struct task_struct *task)
{
	struct mm_struct *mm;

	/* A kernel thread that uses a process's mm has it here too. */
	if (pf_racy_read(task->flags) & PF_KTHREAD)
		return NULL;
	task_lock(task);
	mm = task->mm;
	if (mm)
		mmgrab(mm);
	task_unlock(task);
	return mm;
}

/* The first mm that a thread of the group has. RCU held. */
static struct mm_struct *pf_memory_grab_group(struct task_struct *leader)
{
	struct mm_struct *mm = NULL;
	struct task_struct *t;

	for_each_thread(leader, t) {
		mm = pf_memory_grab(t);
		if (mm)
			break;
	}
	return mm;
}

/*
 * Adds what the group's threads hold back of the mm's counters, in one walk for
 * all counters: there may be tens of thousands of threads. RCU held.
 */
static void pf_memory_add_held_back(const struct mm_struct *mm,
				    struct task_struct *leader, long *pages)
{
	struct task_struct *t;

	for_each_thread(leader, t) {
		if (pf_racy_read(t->mm) != mm)
			continue;
		/* No loop: it would double the instructions for each thread. */
		pages[MM_FILEPAGES] += pf_compat_task_counter(t, MM_FILEPAGES);
		pages[MM_ANONPAGES] += pf_compat_task_counter(t, MM_ANONPAGES);
		pages[MM_SWAPENTS] += pf_compat_task_counter(t, MM_SWAPENTS);
		pages[MM_SHMEMPAGES] += pf_compat_task_counter(t, MM_SHMEMPAGES);
	}
}

/* Reads an mm of which the caller holds a reference. RCU held. */
static void pf_memory_sum(struct mm_struct *mm, struct task_struct *leader,
			  struct pf_memory *memory)
{
	long pages[NR_MM_COUNTERS];
	int member;

	for (member = 0; member < NR_MM_COUNTERS; member++)
		pages[member] = pf_compat_mm_counter(mm, member);
	if (PF_TASKS_HOLD_COUNTERS)
		pf_memory_add_held_back(mm, leader, pages);
	memory->vma = READ_ONCE(mm->total_vm);
	memory->anon = max(pages[MM_ANONPAGES], 0L);
	memory->file = max(pages[MM_FILEPAGES], 0L);
	memory->shmem = max(pages[MM_SHMEMPAGES], 0L);
	memory->swap = max(pages[MM_SWAPENTS], 0L);
	memory->hugetlb = pf_compat_hugetlb_usage(mm);
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
 * Context: process context, preemption enabled: may free the mm's structure.
 * Return: whether the process was still there.
 */
bool pf_memory_read(struct pid *pid, struct pf_memory *memory, char *comm)
{
	struct mm_struct *mm = NULL;
	struct task_struct *leader;

	memset(memory, 0, sizeof(*memory));
	rcu_read_lock();
	leader = pid_task(pid, PIDTYPE_TGID);
	if (leader) {
		task_lock(leader);
		/* Newer kernels change it without the lock (set_task_comm()). */
		data_race(memcpy(comm, leader->comm, TASK_COMM_LEN));
		task_unlock(leader);
		comm[TASK_COMM_LEN - 1] = '\0';
		mm = pf_memory_grab_group(leader);
		if (mm)
			pf_memory_sum(mm, leader, memory);
	}
	rcu_read_unlock();
	if (mm)
		mmdrop(mm);
	return leader;
}
