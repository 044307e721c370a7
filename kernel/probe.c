// SPDX-License-Identifier: GPL-2.0-only
/*
 * The return probe on handle_mm_fault: classifies a call and counts it.
 *
 * A call is classified in two steps. Only the entry handler may look at the
 * VMA, because the call may drop mmap_lock, after which the VMA can be freed.
 * Only the return value tells a completed fault from a retry or an error. So
 * the entry handler notes the shape of the fault, and the return handler counts
 * it.
 *
 * Both handlers run with preemption disabled. They must not sleep, allocate,
 * print or touch user memory.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "probe.h"

#include <linux/fs.h>
#include <linux/file.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

#include "carry.h"
#include "clock.h"
#include "compat.h"
#include "drift.h"
#include "latency.h"
#include "table.h"

/**
 * struct pf_call - a call under way, as its entry handler noted it
 * @start: when it began (only if calls are timed)
 * @address: the address that faulted (only if calls are timed)
 * @shape: see pf_tally_shape()
 * @flags: enum fault_flag
 */
struct pf_call {
	struct pf_stamp start;
	unsigned long address;
	unsigned int shape;
	unsigned int flags;
};

/*
 * The operations that all shmem mappings have. Learned from a file, because no
 * symbol for them is exported on all kernels.
 */
static const struct address_space_operations *pf_probe_shmem_aops;

static __always_inline enum pf_kind
pf_probe_kind(const struct vm_area_struct *vma)
{
	if (!vma->vm_ops)
		return PF_KIND_ANON;
	if (vma->vm_flags & VM_HUGETLB)
		return PF_KIND_HUGETLB;
	if (vma->vm_file && vma->vm_file->f_mapping->a_ops ==
			    pf_probe_shmem_aops)
		return PF_KIND_SHMEM;
	return PF_KIND_FILE;
}

static __always_inline unsigned int
pf_probe_shape(const struct vm_area_struct *vma, unsigned int flags)
{
	enum pf_access access =
		flags & FAULT_FLAG_WRITE ? PF_ACCESS_WRITE :
		flags & FAULT_FLAG_INSTRUCTION ? PF_ACCESS_EXEC :
						 PF_ACCESS_READ;
	enum pf_context context =
		vma->vm_mm != current->mm ? PF_CONTEXT_REMOTE :
		flags & FAULT_FLAG_USER ? PF_CONTEXT_USER :
					  PF_CONTEXT_KERNEL;

	return pf_tally_shape(access, context, pf_probe_kind(vma));
}

/* handle_mm_fault(vma, address, flags, regs), in mm/memory.c. */
static __always_inline int pf_probe_entry(struct kretprobe_instance *ri,
					  struct pt_regs *regs,
					  enum pf_clock clock)
{
	const struct vm_area_struct *vma =
		(void *)regs_get_kernel_argument(regs, 0);
	struct pf_call *call = (struct pf_call *)ri->data;

	call->flags = regs_get_kernel_argument(regs, 2);
	call->shape = pf_probe_shape(vma, call->flags);
	if (clock != PF_CLOCK_OFF) {
		call->address = regs_get_kernel_argument(regs, 1);
		pf_clock_stamp(clock, &call->start);
	}
	return 0;
}

/* The counter of an error; several bits of @ret can be set. */
static enum pf_counter pf_probe_error(vm_fault_t ret)
{
	if (ret & (VM_FAULT_HWPOISON | VM_FAULT_HWPOISON_LARGE))
		return PF_COUNTER_HWPOISON;
	if (ret & VM_FAULT_OOM)
		return PF_COUNTER_OOM;
	if (ret & VM_FAULT_SIGSEGV)
		return PF_COUNTER_SIGSEGV;
	return PF_COUNTER_SIGBUS;
}
NOKPROBE_SYMBOL(pf_probe_error);

/* Adds to the group's tally and, independently, to the counters of this CPU. */
static __always_inline void pf_probe_count(struct pf_tally *tally,
					   unsigned int counter, u64 n)
{
	this_cpu_add(pf_table_global.n[counter], n);
	atomic64_add(n, &tally->n[counter]);
}

/* The least time that pf_latency_count() takes; no real call is shorter. */
#define PF_CALL_NS_MIN	2

/* Whether the caller retries a call that returned VM_FAULT_RETRY. */
static bool pf_probe_comes_back(const struct pf_call *call)
{
	return !(call->flags & FAULT_FLAG_RETRY_NOWAIT) &&
	       !(current->flags & PF_EXITING);
}
NOKPROBE_SYMBOL(pf_probe_comes_back);

/* Counts a call that did not complete a fault: a retry or an error. */
static noinline void pf_probe_unfinished(const struct pf_call *call,
					 vm_fault_t ret, enum pf_clock clock)
{
	struct pf_tally *tally = pf_table_tally(current);
	bool retry = ret & VM_FAULT_RETRY;

	pf_probe_count(tally, retry ? PF_COUNTER_RETRIED : pf_probe_error(ret),
		       1);
	if (clock != PF_CLOCK_OFF) {
		u64 ns = max_t(s64, pf_clock_since(clock, &call->start),
			       PF_CALL_NS_MIN);

		pf_probe_count(tally, PF_COUNTER_STALL_NS, ns);
		if (!retry)
			pf_carry_forget(current);
		else if (pf_probe_comes_back(call))
			pf_carry_add(call->address, ns);
	}
}
NOKPROBE_SYMBOL(pf_probe_unfinished);

/*
 * As pf_probe_time(), for the rare cases: earlier calls of the fault may have
 * left time, or the clock did not move.
 */
static noinline u64 pf_probe_time_slow(const struct pf_call *call,
				       enum pf_severity severity, s64 elapsed)
{
	u64 ns = max_t(s64, elapsed, PF_CALL_NS_MIN);

	pf_latency_count(severity, ns + pf_carry_claim(call->address));
	return ns;
}
NOKPROBE_SYMBOL(pf_probe_time_slow);

/*
 * Counts the time of a completed fault in the histogram. Returns the time of
 * this call alone, in ns, which is what stall_ns grows by.
 */
static __always_inline u64 pf_probe_time(const struct pf_call *call,
					 enum pf_severity severity,
					 enum pf_clock clock)
{
	s64 ns = pf_clock_since(clock, &call->start);

	if (unlikely(ns < PF_CALL_NS_MIN || atomic_read(&pf_carry_pending)))
		return pf_probe_time_slow(call, severity, ns);
	pf_latency_count(severity, ns);
	return ns;
}

static __always_inline void pf_probe_completed(const struct pf_call *call,
					       struct pf_tally *tally,
					       enum pf_severity severity,
					       enum pf_clock clock)
{
	pf_probe_count(tally, severity * PF_SHAPES + call->shape, 1);
	if (clock != PF_CLOCK_OFF)
		pf_probe_count(tally, PF_COUNTER_STALL_NS,
			       pf_probe_time(call, severity, clock));
}

/*
 * The rule of mm_account_fault() (mm/memory.c): a call that returns a retry or
 * an error is no fault. A fault is major if the call that completes it says so,
 * or if the fault was tried before.
 */
static __always_inline int pf_probe_return(struct kretprobe_instance *ri,
					   struct pt_regs *regs,
					   enum pf_clock clock)
{
	const struct pf_call *call = (const struct pf_call *)ri->data;
	vm_fault_t ret = (__force vm_fault_t)regs_return_value(regs);
	struct pf_tally *tally;

	if (unlikely(ret & (VM_FAULT_RETRY | VM_FAULT_ERROR))) {
		pf_probe_unfinished(call, ret, clock);
		return 0;
	}
	tally = pf_table_tally(current);
	/* Two calls, so that the severity is a constant in each. */
	if (unlikely((ret & VM_FAULT_MAJOR) ||
		     (call->flags & FAULT_FLAG_TRIED)))
		pf_probe_completed(call, tally, PF_SEVERITY_MAJOR, clock);
	else
		pf_probe_completed(call, tally, PF_SEVERITY_MINOR, clock);
	return 0;
}

/* Each clock has its own handlers, so that no fault tests which it is. */
#define PF_PROBE_ENTRY(name, clock)					\
static int pf_probe_entry_##name(struct kretprobe_instance *ri,	\
				 struct pt_regs *regs)			\
{									\
	return pf_probe_entry(ri, regs, clock);				\
}									\
NOKPROBE_SYMBOL(pf_probe_entry_##name)

#define PF_PROBE_RETURN(name, clock)					\
static int pf_probe_return_##name(struct kretprobe_instance *ri,	\
				  struct pt_regs *regs)			\
{									\
	return pf_probe_return(ri, regs, clock);			\
}									\
NOKPROBE_SYMBOL(pf_probe_return_##name)

PF_PROBE_ENTRY(untimed, PF_CLOCK_OFF);
PF_PROBE_RETURN(untimed, PF_CLOCK_OFF);
PF_PROBE_ENTRY(local, PF_CLOCK_LOCAL);
PF_PROBE_RETURN(local, PF_CLOCK_LOCAL);
PF_PROBE_ENTRY(tsc, PF_CLOCK_TSC);
PF_PROBE_RETURN(tsc, PF_CLOCK_TSC);

static struct kretprobe pf_probe = {
	.kp.symbol_name = "handle_mm_fault",
	.data_size = sizeof(struct pf_call),
};

/* The clock that times calls. Constant after pf_probe_init(). */
static enum pf_clock pf_probe_clock;

static void pf_probe_set_handlers(void)
{
	switch (pf_probe_clock) {
	case PF_CLOCK_TSC:
		pf_probe.entry_handler = pf_probe_entry_tsc;
		pf_probe.handler = pf_probe_return_tsc;
		break;
	case PF_CLOCK_LOCAL:
		pf_probe.entry_handler = pf_probe_entry_local;
		pf_probe.handler = pf_probe_return_local;
		break;
	case PF_CLOCK_OFF:
		pf_probe.entry_handler = pf_probe_entry_untimed;
		pf_probe.handler = pf_probe_return_untimed;
	}
}

/**
 * pf_probe_clock_name() - the clock that times calls
 *
 * Context: any, after pf_probe_init().
 * Return: PF_CLOCK_NAME_*, or NULL if they are not timed.
 */
const char *pf_probe_clock_name(void)
{
	switch (pf_probe_clock) {
	case PF_CLOCK_TSC:
		return PF_CLOCK_NAME_TSC;
	case PF_CLOCK_LOCAL:
		return PF_CLOCK_NAME_LOCAL;
	default:
		return NULL;
	}
}

/* Makes a shmem file for a moment to learn the operations of its mapping. */
static int pf_probe_learn_shmem(void)
{
	struct file *file = pf_compat_shmem_file("page_faults");

	if (IS_ERR(file))
		return PTR_ERR(file);
	pf_probe_shmem_aops = file->f_mapping->a_ops;
	fput(file);
	return 0;
}

/**
 * pf_probe_init() - put the probe in place
 * @latency: whether calls are timed
 * @maxactive: calls that can be under way at once; see struct kretprobe
 *
 * Context: process context, may sleep.
 * Return: 0, or a negative errno.
 */
int pf_probe_init(bool latency, unsigned int maxactive)
{
	int err = pf_probe_learn_shmem();

	if (err) {
		pr_err("cannot make a shmem file: error %d\n", err);
		return err;
	}
	pf_probe.maxactive = maxactive;
	pf_probe_clock = latency ? pf_clock_choose() : PF_CLOCK_OFF;
	pf_probe_set_handlers();
	err = register_kretprobe(&pf_probe);
	if (err) {
		pr_err("cannot probe handle_mm_fault: error %d\n", err);
		return err;
	}
	pf_drift_begin(maxactive);
	return 0;
}

/**
 * pf_probe_exit() - remove the probe
 *
 * Waits for handlers that still run. A call that is still under way returns
 * through the kernel's own trampoline and is not counted.
 *
 * Context: process context, may sleep.
 */
void pf_probe_exit(void)
{
	unregister_kretprobe(&pf_probe);
}

/**
 * pf_probe_missed() - calls that the probe did not count
 *
 * Either more than maxactive calls were under way, or the probe was hit inside
 * another probe's handler.
 *
 * Context: any.
 * Return: calls since load.
 */
u64 pf_probe_missed(void)
{
	/* The kernel writes both without WRITE_ONCE(); any recent values do. */
	return data_race((u64)(u32)READ_ONCE(pf_probe.nmissed) +
			 READ_ONCE(pf_probe.kp.nmissed));
}
