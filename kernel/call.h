/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A call of handle_mm_fault: how it is classified and counted, whichever hook
 * sees it.
 *
 * A call is classified in two steps. Only at its entry may the VMA be looked
 * at, because the call may drop mmap_lock, after which the VMA can be freed.
 * Only the return value tells a completed fault from a retry or an error. So
 * pf_call_note() notes the shape of the fault at the entry, and
 * pf_call_result() counts it at the return.
 *
 * Both run on every fault. They must not sleep, allocate, print or touch user
 * memory.
 */
#ifndef PF_CALL_H
#define PF_CALL_H

#include <linux/compiler.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "carry.h"
#include "clock.h"
#include "compat.h"
#include "event.h"
#include "latency.h"
#include "table.h"

/**
 * struct pf_call - a call under way, as its entry handler noted it
 * @generation: that of the load that noted it (only by the direct call). Here, and
 *	first, so that the trampoline's notes are a struct pf_call: a pointer into
 *	them costs four instructions a fault
 * @start: when it began (only if calls are timed)
 * @address: the address that faulted (only if calls are timed, or @place is
 *	noted)
 * @shape: see pf_tally_shape()
 * @flags: enum fault_flag, and PF_CALL_PLACE
 * @place: where in a file it is (only with PF_CALL_PLACE)
 */
struct pf_call {
	unsigned long generation;
	struct pf_stamp start;
	unsigned long address;
	unsigned int shape;
	unsigned int flags;
	struct pf_event_place place;
};

/* In @flags: the event was enabled at the entry, and the place was noted. */
#define PF_CALL_PLACE	BIT(30)

/*
 * The operations that all shmem mappings have. Learned from a file, because no
 * symbol for them is exported on all kernels. Constant after
 * pf_call_learn_shmem().
 */
extern const struct address_space_operations *pf_call_shmem_aops;

int pf_call_learn_shmem(void);
void pf_call_unfinished(const struct pf_call *call, vm_fault_t ret,
			enum pf_clock clock);
u64 pf_call_time_slow(const struct pf_call *call, struct pf_tally *tally,
		      enum pf_severity severity, s64 elapsed);

static __always_inline enum pf_kind
pf_call_kind(const struct vm_area_struct *vma)
{
	if (!vma->vm_ops)
		return PF_KIND_ANON;
	if (vma->vm_flags & VM_HUGETLB)
		return PF_KIND_HUGETLB;
	if (vma->vm_file && vma->vm_file->f_mapping->a_ops ==
			    pf_call_shmem_aops)
		return PF_KIND_SHMEM;
	return PF_KIND_FILE;
}

static __always_inline unsigned int
pf_call_shape(const struct vm_area_struct *vma, unsigned int flags)
{
	enum pf_access access =
		flags & FAULT_FLAG_WRITE ? PF_ACCESS_WRITE :
		flags & FAULT_FLAG_INSTRUCTION ? PF_ACCESS_EXEC :
						 PF_ACCESS_READ;
	enum pf_context context =
		vma->vm_mm != current->mm ? PF_CONTEXT_REMOTE :
		flags & FAULT_FLAG_USER ? PF_CONTEXT_USER :
					  PF_CONTEXT_KERNEL;

	return pf_tally_shape(access, context, pf_call_kind(vma));
}

/**
 * pf_call_note() - note a call that begins; the arguments are the call's
 * @call: overwritten
 * @vma: the VMA that it faults in
 * @address: the address that faults
 * @flags: enum fault_flag
 * @clock: the clock that times calls; a compile-time constant, so that no fault
 *	tests which it is
 * @traced: whether the trace event is enabled
 *
 * Context: at the entry of handle_mm_fault.
 */
static __always_inline void pf_call_note(struct pf_call *call,
					 const struct vm_area_struct *vma,
					 unsigned long address,
					 unsigned int flags,
					 enum pf_clock clock, bool traced)
{
	call->flags = traced ? flags | PF_CALL_PLACE : flags;
	call->shape = pf_call_shape(vma, flags);
	if (clock != PF_CLOCK_OFF) {
		call->address = address;
		pf_clock_stamp(clock, &call->start);
	}
	if (traced) {
		call->address = address;
		pf_event_place(&call->place, vma, address);
	}
}

/* Adds to the group's tally and, independently, to the counters of this CPU. */
static __always_inline void pf_call_count(struct pf_tally *tally,
					  unsigned int counter, u64 n)
{
	this_cpu_add(pf_table_global.n[counter], n);
	atomic64_add(n, &tally->n[counter]);
}

/* The least time that pf_latency_count() takes; no real call is shorter. */
#define PF_CALL_NS_MIN	2

/*
 * Whether earlier calls of the same fault may have left time. A call that is the
 * first one for certain does not look.
 */
static __always_inline bool pf_call_may_carry(const struct pf_call *call)
{
	return pf_compat_may_be_second(call->flags) &&
	       atomic_read(&pf_carry_pending.slots);
}

/*
 * Counts the time of a completed fault: in the histogram, in stall_ns, and in its
 * tally if it is slow. Returns the time of the fault with its retries, ns.
 */
static __always_inline u64 pf_call_time(const struct pf_call *call,
					struct pf_tally *tally,
					enum pf_severity severity,
					enum pf_clock clock)
{
	s64 ns = pf_clock_since(clock, &call->start);

	/* One comparison: below the minimum the unsigned difference wraps. */
	if (unlikely((u64)ns - PF_CALL_NS_MIN > PF_SLOW_NS - PF_CALL_NS_MIN ||
		     pf_call_may_carry(call)))
		return pf_call_time_slow(call, tally, severity, ns);
	pf_latency_count(severity, ns);
	pf_call_count(tally, PF_COUNTER_STALL_NS, ns);
	return ns;
}

static __always_inline void pf_call_completed(const struct pf_call *call,
					      struct pf_tally *tally,
					      enum pf_severity severity,
					      enum pf_clock clock)
{
	u64 ns = 0;

	pf_call_count(tally, severity * PF_SHAPES + call->shape, 1);
	if (clock != PF_CLOCK_OFF)
		ns = pf_call_time(call, tally, severity, clock);
	if (tracepoint_enabled(fault) && (call->flags & PF_CALL_PLACE))
		pf_event_completed(call, severity, ns);
}

/**
 * pf_call_result() - count a call that returns
 * @call: as pf_call_note() noted it
 * @ret: what the call returns
 * @clock: as for pf_call_note()
 *
 * The rule of mm_account_fault() (mm/memory.c): a call that returns a retry or
 * an error is no fault. A fault is major if the call that completes it says so,
 * or if the fault was tried before.
 *
 * Context: at the return of handle_mm_fault, preemption disabled.
 */
static __always_inline void pf_call_result(const struct pf_call *call,
					   vm_fault_t ret,
					   enum pf_clock clock)
{
	struct pf_tally *tally;

	if (unlikely(ret & (VM_FAULT_RETRY | VM_FAULT_ERROR))) {
		pf_call_unfinished(call, ret, clock);
		return;
	}
	tally = pf_table_tally(current);
	/* Two calls, so that the severity is a constant in each. */
	if (unlikely((ret & VM_FAULT_MAJOR) ||
		     (call->flags & FAULT_FLAG_TRIED)))
		pf_call_completed(call, tally, PF_SEVERITY_MAJOR, clock);
	else
		pf_call_completed(call, tally, PF_SEVERITY_MINOR, clock);
}

#endif /* PF_CALL_H */
