/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The time of a retried call, carried to the call that completes the fault.
 *
 * A fault that is retried makes several calls of handle_mm_fault. The histogram
 * and the counters of slow faults count it once, with the time of all its calls:
 * a fault that waited 50 ms for a userfaultfd or a disk is one of 50 ms.
 *
 * The time so far is kept in a slot of a small array with open addressing. The
 * key is the thread. Only the thread itself uses its slot. A completed call looks
 * for its slot only if it can be the second one of its fault; see
 * pf_compat_may_be_second().
 *
 * When a signal interrupts a fault, the program runs the instruction again after
 * its handler, which is a new fault to the kernel. If that one has to wait too,
 * the times are added up. If its page is there by then, it completes in its first
 * call, and the histogram does not have the time before the signal.
 */
#ifndef PF_CARRY_H
#define PF_CARRY_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/sched.h>
#include <linux/types.h>

/**
 * struct pf_carry_pending - whether to look for a slot at all
 * @slots: slots in use: threads with a retried fault that has not completed yet
 *
 * Each retried fault writes it, so it has a cache line of its own.
 */
struct pf_carry_pending {
	atomic_t slots;
} ____cacheline_aligned_in_smp;
extern struct pf_carry_pending pf_carry_pending;

int pf_carry_init(void);
void pf_carry_destroy(void);
void pf_carry_add(unsigned long address, u64 ns);
u64 pf_carry_claim(unsigned long address);
void pf_carry_drop(struct task_struct *task);

/**
 * pf_carry_forget() - drop the time that a thread carries, if any
 * @task: the thread; current, or a thread that exits
 *
 * Context: any.
 */
static inline void pf_carry_forget(struct task_struct *task)
{
	if (unlikely(atomic_read(&pf_carry_pending.slots)))
		pf_carry_drop(task);
}

#endif /* PF_CARRY_H */
