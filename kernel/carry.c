// SPDX-License-Identifier: GPL-2.0-only
/* The time of a retried call; see carry.h. */
#include "carry.h"

#include <linux/cache.h>
#include <linux/hash.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/slab.h>

/*
 * The logarithm of the number of slots: enough for some ten thousand threads with
 * a retried fault at the same time. They take 0.8 MB.
 */
#define PF_CARRY_BITS	15

/* How many slots a thread may use: those from its hash on. */
#define PF_CARRY_PROBES	8

/**
 * struct pf_carry - a slot: the time of a fault's calls so far
 * @owner: the thread that uses the slot, NULL while it is free. The thread sets
 *	it by cmpxchg and clears it; the exit hook runs in that thread too.
 * @address: the page that faulted; written by the owner only
 * @ns: the time so far; written by the owner only
 */
struct pf_carry {
	struct task_struct *owner;
	unsigned long address;
	u64 ns;
};

static struct pf_carry *pf_carry_slots __ro_after_init;
struct pf_carry_pending pf_carry_pending;

static struct pf_carry *pf_carry_slot(const struct task_struct *task,
				      unsigned int probe)
{
	unsigned int mask = (1U << PF_CARRY_BITS) - 1;

	return &pf_carry_slots[(hash_ptr(task, PF_CARRY_BITS) + probe) & mask];
}
NOKPROBE_SYMBOL(pf_carry_slot);

static struct pf_carry *pf_carry_find(const struct task_struct *task)
{
	unsigned int probe;

	for (probe = 0; probe < PF_CARRY_PROBES; probe++) {
		struct pf_carry *slot = pf_carry_slot(task, probe);

		if (READ_ONCE(slot->owner) == task)
			return slot;
	}
	return NULL;
}
NOKPROBE_SYMBOL(pf_carry_find);

/* The slot of current, or a free one that it takes; NULL if none is free. */
static struct pf_carry *pf_carry_take(void)
{
	struct pf_carry *slot = pf_carry_find(current);
	unsigned int probe;

	for (probe = 0; !slot && probe < PF_CARRY_PROBES; probe++) {
		struct pf_carry *try = pf_carry_slot(current, probe);

		if (!READ_ONCE(try->owner) &&
		    !cmpxchg(&try->owner, NULL, current)) {
			atomic_inc(&pf_carry_pending.slots);
			try->ns = 0;
			slot = try;
		}
	}
	return slot;
}
NOKPROBE_SYMBOL(pf_carry_take);

static void pf_carry_give(struct pf_carry *slot)
{
	/* Release: our writes to the slot come before its next owner's. */
	smp_store_release(&slot->owner, NULL);
	atomic_dec(&pf_carry_pending.slots);
}
NOKPROBE_SYMBOL(pf_carry_give);

/**
 * pf_carry_add() - keep the time of a call that is to be retried
 * @address: the address that faulted
 * @ns: the call's time
 *
 * If all the slots that the thread may use are taken, the time is not kept. The
 * histogram then counts the time of the completing call alone; stall_ns has the
 * time of all calls in any case.
 *
 * Context: in a probe's handler, for the thread that faulted.
 */
void pf_carry_add(unsigned long address, u64 ns)
{
	struct pf_carry *slot = pf_carry_take();

	if (!slot)
		return;
	address &= PAGE_MASK;
	if (slot->address != address)
		slot->ns = 0;	/* the other fault never completed */
	slot->address = address;
	slot->ns += ns;
}
NOKPROBE_SYMBOL(pf_carry_add);

/**
 * pf_carry_claim() - take the time kept for a fault that completes now
 * @address: the address that faulted
 *
 * Frees the slot, unless it is for another page: that fault did not complete,
 * because a signal came first, and may go on when the signal's handler returns.
 *
 * Context: in a probe's handler, for the thread that faulted.
 * Return: ns, 0 if nothing was kept for this fault.
 */
u64 pf_carry_claim(unsigned long address)
{
	struct pf_carry *slot = pf_carry_find(current);
	u64 ns = 0;

	if (slot && slot->address == (address & PAGE_MASK)) {
		ns = slot->ns;
		pf_carry_give(slot);
	}
	return ns;
}
NOKPROBE_SYMBOL(pf_carry_claim);

/**
 * pf_carry_drop() - drop the time that a thread carries
 * @task: the thread; current, or a thread that exits
 *
 * Context: any.
 */
void pf_carry_drop(struct task_struct *task)
{
	struct pf_carry *slot = pf_carry_find(task);

	if (slot)
		pf_carry_give(slot);
}
NOKPROBE_SYMBOL(pf_carry_drop);

/**
 * pf_carry_init() - allocate the slots
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pf_carry_init(void)
{
	pf_carry_slots = kvcalloc(1U << PF_CARRY_BITS, sizeof(*pf_carry_slots),
				  GFP_KERNEL);
	return pf_carry_slots ? 0 : -ENOMEM;
}

/**
 * pf_carry_destroy() - free the slots
 *
 * Context: process context, may sleep; no handler runs any more.
 */
void pf_carry_destroy(void)
{
	kvfree(pf_carry_slots);
}
