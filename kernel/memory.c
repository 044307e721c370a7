// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a process at read time, its name and its control group.
 *
 * A thread's mm is looked up under task_lock(), because exit and exec change
 * task->mm under it. The reference taken there keeps the structure (mmgrab())
 * and not the address space (mmget()): with the latter a reader could hold the
 * last reference, and would have to tear a large process down. mmap_lock is
 * never taken, so that a reader does not wait for a process that is stuck in a
 * fault.
 *
 * Lock order: RCU, then task_lock; RCU, then the counters' own raw lock.
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

/* The mm of @task, of which the caller drops the reference; NULL if none. */
static struct mm_struct *pf_memory_grab(struct task_struct *task)
{
	struct mm_struct *mm;

	/* The mm of a kernel thread is one that it borrows. */
	if (pf_racy_read(task->flags) & PF_KTHREAD)
		return NULL;
	task_lock(task);
	mm = task->mm;
	if (mm)
		mmgrab(mm);
	task_unlock(task);
	return mm;
}

/* The mm of the group: of the first thread that has one. RCU held. */
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
 * Adds the parts of the mm's counters that the group's threads cache. One walk
 * for all counters, because a group can have tens of thousands of threads. RCU
 * held.
 */
static void pf_memory_add_cached(const struct mm_struct *mm,
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
	if (PF_TASKS_CACHE_COUNTERS)
		pf_memory_add_cached(mm, leader, pages);
	memory->vma = READ_ONCE(mm->total_vm);
	memory->anon = max(pages[MM_ANONPAGES], 0L);
	memory->file = max(pages[MM_FILEPAGES], 0L);
	memory->shmem = max(pages[MM_SHMEMPAGES], 0L);
	memory->swap = max(pages[MM_SWAPENTS], 0L);
	memory->hugetlb = pf_compat_hugetlb_usage(mm);
}

/**
 * pf_memory_read() - the memory, name and control group of a process
 * @pid: its tgid
 * @memory: overwritten; all 0 if the process has no mm any more
 * @comm: set to the name of the group's leader, TASK_COMM_LEN bytes with a NUL
 *	at the end; unchanged if there is no such process any more
 * @cgroup: set to the id of the leader's control group; unchanged likewise
 *
 * If the leader has exited before its threads, it has no mm. Then the mm of
 * another thread is read.
 *
 * Context: process context, preemption enabled; may free the mm's structure.
 * Return: whether there was such a process.
 */
bool pf_memory_read(struct pid *pid, struct pf_memory *memory, char *comm,
		    u64 *cgroup)
{
	struct mm_struct *mm = NULL;
	struct task_struct *leader;

	memset(memory, 0, sizeof(*memory));
	rcu_read_lock();
	leader = pid_task(pid, PIDTYPE_TGID);
	if (leader) {
		task_lock(leader);
		/* Newer kernels change the name without this lock. */
		data_race(memcpy(comm, leader->comm, TASK_COMM_LEN));
		task_unlock(leader);
		comm[TASK_COMM_LEN - 1] = '\0';
		*cgroup = pf_compat_cgroup_id(leader);
		mm = pf_memory_grab_group(leader);
		if (mm)
			pf_memory_sum(mm, leader, memory);
	}
	rcu_read_unlock();
	if (mm)
		mmdrop(mm);
	return leader;
}
