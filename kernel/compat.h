/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The differences between kernels 6.1 to 7.x that matter to this module, with
 * one thin wrapper for each. No other file looks at LINUX_VERSION_CODE.
 */
#ifndef PF_COMPAT_H
#define PF_COMPAT_H

#include <linux/cgroup.h>
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/percpu_counter.h>
#include <linux/sched.h>
#include <linux/shmem_fs.h>
#include <linux/version.h>

#include "racy.h"

#ifndef CONFIG_DEBUG_FS
#error "page_faults publishes through debugfs: it needs a kernel with CONFIG_DEBUG_FS=y"
#endif
#ifndef CONFIG_TRACEPOINTS
#error "page_faults learns of exits by a tracepoint: it needs a kernel with CONFIG_TRACEPOINTS=y"
#endif
#if !defined(CONFIG_KRETPROBES) && !defined(PF_HAVE_DIRECT)
#error "page_faults probes faults: it needs a kernel with CONFIG_KRETPROBES=y or direct calls"
#endif
#ifndef CONFIG_VM_EVENT_COUNTERS
#error "page_faults checks itself by PGFAULT: it needs a kernel with CONFIG_VM_EVENT_COUNTERS=y"
#endif

/*
 * Before 6.4 the kernel counts the event PGFAULT at the start of every call of
 * handle_mm_fault. Since 6.4 it counts it at the end of a call, and does not
 * count a call that is to be retried (mm_account_fault() in mm/memory.c).
 */
#define PF_PGFAULT_COUNTS_RETRIES \
	(LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0))

/*
 * Since 6.16 the tracepoint sched_process_exit has the argument group_dead. It
 * is not used, because signal->live says the same on every kernel.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define PF_EXIT_PROTO(data, task) \
	void *data, struct task_struct *task, bool group_dead
#else
#define PF_EXIT_PROTO(data, task) void *data, struct task_struct *task
#endif

/**
 * pf_compat_may_be_second() - whether a call can be the second one of its fault
 * @flags: enum fault_flag of the call
 *
 * When a call returns VM_FAULT_RETRY, its caller calls again, with
 * FAULT_FLAG_TRIED. Since 6.4 there is one exception: when a call that held only
 * the lock of its VMA returns VM_FAULT_RETRY, the caller calls again under
 * mmap_lock and mostly without FAULT_FLAG_TRIED (do_user_addr_fault() in
 * arch/x86/mm/fault.c). No second call holds only the lock of its VMA.
 *
 * Context: any.
 * Return: false if the call is the first one for certain.
 */
static __always_inline bool pf_compat_may_be_second(unsigned int flags)
{
#ifdef CONFIG_PER_VMA_LOCK
	return !(flags & FAULT_FLAG_VMA_LOCK);
#else
	return flags & FAULT_FLAG_TRIED;
#endif
}

/**
 * pf_compat_mm_counter() - exact value of one of an mm's counters
 * @mm: the mm
 * @member: MM_FILEPAGES, ...
 *
 * Since 6.2 the counters are per CPU. A plain read of one is wrong by up to a
 * batch for each CPU, so they are summed. Before 6.2 each thread caches a part
 * of the counter, which pf_compat_task_counter() reads.
 *
 * Context: any.
 * Return: pages; before 6.2 it can be negative without the threads' parts.
 */
static inline long pf_compat_mm_counter(struct mm_struct *mm, int member)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	return percpu_counter_sum_positive(&mm->rss_stat[member]);
#else
	return atomic_long_read(&mm->rss_stat.count[member]);
#endif
}

/* Whether threads cache parts of the counters (mm/memory.c before 6.2). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0) && defined(SPLIT_RSS_COUNTING)
#define PF_TASKS_CACHE_COUNTERS 1
#else
#define PF_TASKS_CACHE_COUNTERS 0
#endif

/**
 * pf_compat_task_counter() - the part of its mm's counter that a thread caches
 * @task: the thread
 * @member: MM_FILEPAGES, ...
 *
 * Context: any; exact while the thread does not run.
 * Return: pages, may be negative; 0 on kernels where threads cache nothing.
 */
static inline long pf_compat_task_counter(const struct task_struct *task,
					  int member)
{
#if PF_TASKS_CACHE_COUNTERS
	/* The thread adds to it without WRITE_ONCE(). */
	return pf_racy_read(task->rss_stat.count[member]);
#else
	return 0;
#endif
}

/* Whether processes can have huge pages of hugetlb. */
#ifdef CONFIG_HUGETLB_PAGE
#define PF_HAVE_HUGETLB 1
#else
#define PF_HAVE_HUGETLB 0
#endif

/**
 * pf_compat_hugetlb_usage() - memory of an mm in huge pages of hugetlb
 * @mm: the mm
 *
 * This is the value that hugetlb_report_usage() (mm/hugetlb.c) prints as
 * HugetlbPages.
 *
 * Context: any.
 * Return: pages of PAGE_SIZE, 0 where there is no hugetlb.
 */
static inline unsigned long
pf_compat_hugetlb_usage(const struct mm_struct *mm)
{
#ifdef CONFIG_HUGETLB_PAGE
	return atomic_long_read(&mm->hugetlb_usage);
#else
	return 0;
#endif
}

/**
 * pf_compat_is_backing() - whether /proc/PID/maps shows another inode than the file's
 * @file: the file of a VMA
 *
 * Of a file in overlayfs, as in a container, the VMA has the file of the layer
 * below. Since 6.7 maps shows the inode of the file that the program has opened. Its
 * helper is used since 6.12; on 6.7 to 6.11 the inode is that of the layer.
 *
 * Context: any, while the VMA has the file.
 * Return: whether it is so.
 */
static __always_inline bool pf_compat_is_backing(const struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return unlikely(file->f_mode & FMODE_BACKING);
#else
	return false;
#endif
}

/**
 * pf_compat_mapped_inode() - the inode that /proc/PID/maps shows of a mapped file
 * @file: the file of a VMA
 *
 * Context: any, while the VMA has the file.
 * Return: the inode.
 */
static inline const struct inode *pf_compat_mapped_inode(const struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return file_user_inode(file);
#else
	return file_inode(file);
#endif
}

/**
 * pf_compat_cgroup_id() - the control group of a task in the unified hierarchy
 * @task: the task; one that has exited is still in its last group
 *
 * Context: RCU read section.
 * Return: the group's id, 0 where there are no control groups.
 */
static inline u64 pf_compat_cgroup_id(struct task_struct *task)
{
#ifdef CONFIG_CGROUPS
	return cgroup_id(task_dfl_cgroup(task));
#else
	return 0;
#endif
}

/**
 * pf_compat_shmem_file() - make an empty, unlinked shmem file
 * @name: its name in messages
 *
 * Since 7.0 the flags argument is a structure.
 *
 * Context: process context, may sleep.
 * Return: the file or an ERR_PTR.
 */
static inline struct file *pf_compat_shmem_file(const char *name)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
	return shmem_file_setup(name, 0, (vma_flags_t){});
#else
	return shmem_file_setup(name, 0, 0);
#endif
}

/**
 * pf_compat_tracks_call_depth() - whether the CPU's return stack is refilled by
 *	counting calls (retbleed=stuff, since 6.2)
 *
 * Every call is then counted. The trampoline's call into the middle of a
 * function is not, because the count is made in the padding before a function.
 *
 * Context: any.
 * Return: whether the kernel was booted with it.
 */
static inline bool pf_compat_tracks_call_depth(void)
{
#ifdef X86_FEATURE_CALL_DEPTH
	return cpu_feature_enabled(X86_FEATURE_CALL_DEPTH);
#else
	return false;
#endif
}

#ifdef PF_HAVE_DIRECT
/**
 * pf_compat_register_direct() - let functions call a trampoline first
 * @ops: its filter chooses the functions
 * @trampoline: the address of the code
 *
 * Before 6.4 the function of this name took no ops. When it fails late, for
 * example because a livepatch is on the function, 6.1 leaves two fields of the ops
 * set, and so do later kernels without commit 56b3c85e153b ("ftrace: Fix BPF fexit
 * with livepatch"). With these fields set every later call fails, so they are
 * cleared here.
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno; -EBUSY if a function has such a call.
 */
static inline int pf_compat_register_direct(struct ftrace_ops *ops,
					    unsigned long trampoline)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	int err = register_ftrace_direct(ops, trampoline);
#else
	int err = register_ftrace_direct_multi(ops, trampoline);
#endif

	if (err) {
		ops->func = NULL;
		ops->trampoline = 0;
	}
	return err;
}

/**
 * pf_compat_unregister_direct() - undo pf_compat_register_direct()
 * @ops: as it was given; keeps its filter
 * @trampoline: as it was given
 *
 * Context: process context, may sleep.
 */
static inline void pf_compat_unregister_direct(struct ftrace_ops *ops,
					       unsigned long trampoline)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	unregister_ftrace_direct(ops, trampoline, false);
#else
	unregister_ftrace_direct_multi(ops, trampoline);
#endif
}
#endif /* PF_HAVE_DIRECT */

#endif /* PF_COMPAT_H */
