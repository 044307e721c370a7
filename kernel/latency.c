// SPDX-License-Identifier: GPL-2.0-only
/* Histogram of the time faults take, and what retries carry; see latency.h. */
#include "latency.h"

#include <linux/hash.h>
#include <linux/kprobes.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

/* Slots a thread may take from its hash on. */
#define PF_LATENCY_PROBES	8

/**
 * struct pf_carry - time of a fault's calls so far
 * @owner: the thread, NULL while the slot is free; taken by cmpxchg, given
 *	back by the owner or, when it exits, for it
 * @address: the page that faulted (owner)
 * @ns: time so far (owner)
 */
struct pf_carry {
	struct task_struct *owner;
	unsigned long address;
	u64 ns;
};

static struct pf_carry *pf_latency_slots;
static unsigned int pf_latency_bits;
atomic_t pf_latency_carried = ATOMIC_INIT(0);

DEFINE_PER_CPU(struct pf_histogram [PF_SEVERITIES], pf_latency_histogram);

static struct pf_carry *pf_latency_slot(const struct task_struct *task,
					unsigned int probe)
{
	unsigned int mask = (1U << pf_latency_bits) - 1;

	return &pf_latency_slots[(hash_ptr(task, pf_latency_bits) + probe) &
				 mask];
}
NOKPROBE_SYMBOL(pf_latency_slot);

static struct pf_carry *pf_latency_find(const struct task_struct *task)
{
	unsigned int probe;

	for (probe = 0; probe < PF_LATENCY_PROBES; probe++) {
		struct pf_carry *slot = pf_latency_slot(task, probe);

		if (READ_ONCE(slot->owner) == task)
			return slot;
	}
	return NULL;
}
NOKPROBE_SYMBOL(pf_latency_find);

/* The slot of current, taken if it has none; NULL if all it may take are. */
static struct pf_carry *pf_latency_take(void)
{
	struct pf_carry *slot = pf_latency_find(current);
	unsigned int probe;

	for (probe = 0; !slot && probe < PF_LATENCY_PROBES; probe++) {
		struct pf_carry *try = pf_latency_slot(current, probe);

		if (!READ_ONCE(try->owner) &&
		    !cmpxchg(&try->owner, NULL, current)) {
			atomic_inc(&pf_latency_carried);
			try->ns = 0;
			slot = try;
		}
	}
	return slot;
}
NOKPROBE_SYMBOL(pf_latency_take);

static void pf_latency_give(struct pf_carry *slot)
{
	/* Whoever takes the slot next sees that its owner is done with it. */
	smp_store_release(&slot->owner, NULL);
	atomic_dec(&pf_latency_carried);
}
NOKPROBE_SYMBOL(pf_latency_give);

/**
 * pf_latency_carry() - keep the time of a call that is to be retried
 * @address: what faulted
 * @ns: the call's time
 *
 * If the array is crowded around the thread's place the time is not carried:
 * the histogram then sees the completing call alone, stall_ns all of it.
 *
 * Context: current is the thread that faulted; a probe's handler.
 */
void pf_latency_carry(unsigned long address, u64 ns)
{
	struct pf_carry *slot = pf_latency_take();

	if (!slot)
		return;
	address &= PAGE_MASK;
	if (slot->address != address)
		slot->ns = 0;	/* of a fault that was never completed */
	slot->address = address;
	slot->ns += ns;
}
NOKPROBE_SYMBOL(pf_latency_carry);

/**
 * pf_latency_claim() - take the time carried for a fault that completes now
 * @address: what faulted
 *
 * Time carried for another address is of a fault that never completed (a
 * signal came first): it is dropped.
 *
 * Context: current is the thread that faulted; a probe's handler.
 * Return: ns, 0 if nothing was carried for it.
 */
u64 pf_latency_claim(unsigned long address)
{
	struct pf_carry *slot = pf_latency_find(current);
	u64 ns = 0;

	if (slot) {
		if (slot->address == (address & PAGE_MASK))
			ns = slot->ns;
		pf_latency_give(slot);
	}
	return ns;
}
NOKPROBE_SYMBOL(pf_latency_claim);

/**
 * pf_latency_drop() - drop what a thread carries
 * @task: the thread, which faults no more
 *
 * Context: any.
 */
void pf_latency_drop(struct task_struct *task)
{
	struct pf_carry *slot = pf_latency_find(task);

	if (slot)
		pf_latency_give(slot);
}
NOKPROBE_SYMBOL(pf_latency_drop);

/**
 * pf_latency_read() - add the CPUs' histograms up
 * @severity: which
 * @histogram: overwritten
 *
 * Context: process context; not exact while faults are under way.
 */
void pf_latency_read(enum pf_severity severity, struct pf_histogram *histogram)
{
	unsigned int i;
	int cpu;

	memset(histogram, 0, sizeof(*histogram));
	for_each_possible_cpu(cpu) {
		struct pf_histogram *from =
			&per_cpu(pf_latency_histogram, cpu)[severity];

		for (i = 0; i < ARRAY_SIZE(from->bucket); i++)
			histogram->bucket[i] += READ_ONCE(from->bucket[i]);
		histogram->sum += READ_ONCE(from->sum);
	}
}

/**
 * pf_latency_init() - allocate the slots
 * @slots: threads that may carry time at once, at least
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pf_latency_init(unsigned int slots)
{
	/* Twice as many, so that PF_LATENCY_PROBES nearly always suffice. */
	unsigned int n = roundup_pow_of_two(max(slots, 16U)) * 2;

	pf_latency_bits = ilog2(n);
	pf_latency_slots = kvcalloc(n, sizeof(*pf_latency_slots), GFP_KERNEL);
	return pf_latency_slots ? 0 : -ENOMEM;
}

/**
 * pf_latency_destroy() - free the slots
 *
 * Context: process context, may sleep; no handler runs any more.
 */
void pf_latency_destroy(void)
{
	kvfree(pf_latency_slots);
}
