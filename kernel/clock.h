/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The time a call takes, by the cheapest clock that tells it rightly.
 *
 * Where the kernel holds the TSC for stable at load it is read as it is: about
 * 40 instructions a fault, histogram included, against 111 (6.1) and 165 (7.3)
 * by two calls of local_clock(), which is what is used elsewhere. A call that
 * ends within a tick on the CPU it began on is what the TSC says; of others,
 * which are rare, jiffies are a witness.
 */
#ifndef PF_CLOCK_H
#define PF_CLOCK_H

#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>
#include <linux/types.h>

#ifdef CONFIG_X86_TSC
#include <asm/msr.h>
#include <asm/tsc.h>
#endif

/**
 * enum pf_clock - what calls are timed by
 * @PF_CLOCK_OFF: they are not
 * @PF_CLOCK_LOCAL: local_clock()
 * @PF_CLOCK_TSC: the TSC
 */
enum pf_clock { PF_CLOCK_OFF, PF_CLOCK_LOCAL, PF_CLOCK_TSC };

/**
 * struct pf_clock_rate - how fast the TSC is
 * @mult: ns a cycle, times 2^32
 * @tick: cycles a tick of jiffies
 */
struct pf_clock_rate {
	u64 mult;
	u64 tick;
};
/* Constant after pf_clock_choose(). */
extern struct pf_clock_rate pf_clock_rate;

/**
 * struct pf_stamp - a moment
 * @time: ns, or cycles of the TSC
 * @cpu: where (TSC)
 * @tick: the low bits of jiffies (TSC)
 */
struct pf_stamp {
	u64 time;
	unsigned int cpu;
	u32 tick;
};

enum pf_clock pf_clock_choose(void);
s64 pf_clock_check(u64 cycles, u32 ticks);

#ifdef CONFIG_X86_TSC
static __always_inline void pf_clock_stamp_tsc(struct pf_stamp *stamp)
{
	stamp->cpu = raw_smp_processor_id();
	stamp->tick = jiffies;
	stamp->time = rdtsc();
}

static __always_inline s64 pf_clock_since_tsc(const struct pf_stamp *stamp)
{
	u64 cycles = rdtsc() - stamp->time;

	if (likely(cycles <= pf_clock_rate.tick &&
		   stamp->cpu == raw_smp_processor_id()))
		return mul_u64_u64_shr(cycles, pf_clock_rate.mult, 32);
	return pf_clock_check(cycles, (u32)jiffies - stamp->tick);
}
#else
static inline void pf_clock_stamp_tsc(struct pf_stamp *stamp)
{
}

static inline s64 pf_clock_since_tsc(const struct pf_stamp *stamp)
{
	return 0;
}
#endif

/**
 * pf_clock_stamp() - note the moment
 * @clock: PF_CLOCK_LOCAL or PF_CLOCK_TSC; a constant where it must be cheap
 * @stamp: overwritten
 *
 * Context: preemption disabled, as in a probe's handler.
 */
static __always_inline void pf_clock_stamp(enum pf_clock clock,
					   struct pf_stamp *stamp)
{
	if (clock == PF_CLOCK_TSC)
		pf_clock_stamp_tsc(stamp);
	else
		stamp->time = local_clock();
}

/**
 * pf_clock_since() - the time since a moment
 * @clock: as it was noted by
 * @stamp: less than 2^32 ticks ago
 *
 * Context: as pf_clock_stamp().
 * Return: ns, not negative.
 */
static __always_inline s64 pf_clock_since(enum pf_clock clock,
					  const struct pf_stamp *stamp)
{
	if (clock == PF_CLOCK_TSC)
		return pf_clock_since_tsc(stamp);
	/* The clocks of two CPUs may differ by a little. */
	return max((s64)(local_clock() - stamp->time), 0LL);
}

#endif /* PF_CLOCK_H */
