/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Times a call by the cheapest clock that is right.
 *
 * If the kernel considers the TSC stable when the module is loaded, the TSC is
 * read directly. That costs 40 to 43 instructions a fault, with the histogram.
 * Otherwise local_clock() is called twice, which costs 172 to 231 instructions a
 * fault, by kernel (tests/RESULTS.md).
 *
 * For a call that ends within a tick, on the CPU where it began, the TSC's time
 * is taken as it is. Other calls are rare; their time is checked against
 * jiffies.
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
 * enum pf_clock - the clock that times calls
 * @PF_CLOCK_OFF: none, calls are not timed
 * @PF_CLOCK_LOCAL: local_clock()
 * @PF_CLOCK_TSC: the TSC
 */
enum pf_clock { PF_CLOCK_OFF, PF_CLOCK_LOCAL, PF_CLOCK_TSC };

/**
 * struct pf_clock_rate - the rate of the TSC
 * @mult: ns per cycle, times 2^32
 * @tick: cycles per tick of jiffies
 */
struct pf_clock_rate {
	u64 mult;
	u64 tick;
};
/* Constant after pf_clock_choose(). */
extern struct pf_clock_rate pf_clock_rate;

/**
 * struct pf_stamp - a moment
 * @time: ns of local_clock(), or cycles of the TSC
 * @cpu: the CPU whose TSC was read (TSC only)
 * @tick: the low bits of jiffies (TSC only)
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
 * @clock: PF_CLOCK_LOCAL or PF_CLOCK_TSC; a compile-time constant in the probe,
 *	so that the test of it costs nothing
 * @stamp: overwritten
 *
 * Context: any. If the thread is moved to another CPU in the middle of it, the
 *	TSC read is that of another CPU than noted; stable TSCs agree.
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
 * @clock: the clock that noted the moment
 * @stamp: the moment, less than 2^32 ticks ago
 *
 * Context: preemption disabled, as in a probe's handler.
 * Return: ns, not negative.
 */
static __always_inline s64 pf_clock_since(enum pf_clock clock,
					  const struct pf_stamp *stamp)
{
	if (clock == PF_CLOCK_TSC)
		return pf_clock_since_tsc(stamp);
	/* The clocks of two CPUs can differ a little: never below 0. */
	return max((s64)(local_clock() - stamp->time), 0LL);
}

#endif /* PF_CLOCK_H */
