// SPDX-License-Identifier: GPL-2.0-only
/* The time a call takes; see clock.h. */
#include "clock.h"

#include <linux/kprobes.h>

struct pf_clock_rate pf_clock_rate;

#ifdef CONFIG_X86_TSC
/**
 * pf_clock_choose() - find out what to time calls by
 *
 * Context: process context, before the first call is timed.
 * Return: PF_CLOCK_TSC or PF_CLOCK_LOCAL.
 */
enum pf_clock pf_clock_choose(void)
{
	/* Whether the TSCs run evenly and together is found by tsc.c. */
	if (!tsc_khz || check_tsc_unstable())
		return PF_CLOCK_LOCAL;
	pf_clock_rate.mult = div_u64((u64)USEC_PER_SEC << 32, tsc_khz);
	pf_clock_rate.tick = (u64)tsc_khz * MSEC_PER_SEC / HZ;
	return PF_CLOCK_TSC;
}

/*
 * By how many ticks jiffies may be late: a CPU that sees it stand still for
 * MAX_STALLED_JIFFIES (5, kernel/time/tick-sched.c) of its own updates it.
 */
#define PF_CLOCK_LATE	8

/**
 * pf_clock_check() - the time of a call that took long or has moved
 * @cycles: what the TSC says; may have wrapped below 0
 * @ticks: by how much jiffies has grown
 *
 * While the TSC is stable it is believed, unless it has run on by itself for
 * over a second, as when a virtual machine is paused. If it was found unstable
 * since, its time is held within what jiffies say. A call that stays on its CPU
 * and takes less than a tick by that CPU's TSC does not come here.
 *
 * Context: as pf_clock_since().
 * Return: ns, not negative.
 */
s64 pf_clock_check(u64 cycles, u32 ticks)
{
	s64 slack = check_tsc_unstable() ? PF_CLOCK_LATE : HZ;
	s64 least = ((s64)ticks - slack) * TICK_NSEC;
	s64 most = ((s64)ticks + slack) * TICK_NSEC;
	s64 ns = 0;

	if ((s64)cycles > 0)
		ns = mul_u64_u64_shr(cycles, pf_clock_rate.mult, 32);
	return clamp(ns, max(least, 0LL), most);
}
NOKPROBE_SYMBOL(pf_clock_check);
#else
/* See above. */
enum pf_clock pf_clock_choose(void)
{
	return PF_CLOCK_LOCAL;
}
#endif
