/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a retried call carries to the next one of the same fault.
 *
 * A fault that is retried makes several calls of handle_mm_fault; the time of
 * the earlier ones is carried to the one that completes it, so that a fault
 * that waited 50 ms for userfaultfd or a disk is one of 50 ms. What is carried
 * lies in a small open-addressed array keyed by thread and address; only the
 * thread itself touches its slot. Nothing is looked up while nothing is
 * carried, which is nearly always.
 */
#ifndef PF_CARRY_H
#define PF_CARRY_H

#include <linux/atomic.h>
#include <linux/sched.h>
#include <linux/types.h>

/* Retried faults whose time waits to be completed. */
extern atomic_t pf_carry_pending;

int pf_carry_init(unsigned int slots);
void pf_carry_destroy(void);
void pf_carry_add(unsigned long address, u64 ns);
u64 pf_carry_claim(unsigned long address);
void pf_carry_drop(struct task_struct *task);

/**
 * pf_carry_forget() - drop what a thread that exits carries
 * @task: the thread
 *
 * Context: any.
 */
static inline void pf_carry_forget(struct task_struct *task)
{
	if (unlikely(atomic_read(&pf_carry_pending)))
		pf_carry_drop(task);
}

#endif /* PF_CARRY_H */
