// SPDX-License-Identifier: GPL-2.0-only
/* The clock that times a call; see clock.h. */
#include "clock.h"

#include <linux/cache.h>
#include <linux/kprobes.h>

struct pf_clock_rate pf_clock_rate __ro_after_init;

#ifdef CONFIG_X86_TSC
/**
 * pf_clock_choose() - choose the clock that times calls
 *
 * Context: process context, before the first call is timed.
 * Return: PF_CLOCK_TSC or PF_CLOCK_LOCAL.
 */
enum pf_clock pf_clock_choose(void)
{
	/* arch/x86/kernel/tsc.c checks that all TSCs run evenly and in step. */
	if (!tsc_khz || check_tsc_unstable())
		return PF_CLOCK_LOCAL;
	pf_clock_rate.mult = div_u64((u64)USEC_PER_SEC << 32, tsc_khz);
	pf_clock_rate.tick = (u64)tsc_khz * MSEC_PER_SEC / HZ;
	return PF_CLOCK_TSC;
}

/*
 * How many ticks jiffies can be late. Another CPU takes over the update when
 * jiffies has not moved for MAX_STALLED_JIFFIES of its own ticks (5, in
 * kernel/time/tick-sched.c).
 */
#define PF_CLOCK_LATE	8

/**
 * pf_clock_check() - the time of a call that was long or changed its CPU
 * @cycles: TSC cycles the call took; may have wrapped below 0
 * @ticks: ticks that jiffies grew by meanwhile
 *
 * Limits the TSC's time to what jiffies allow. While the TSC is stable the
 * limit is a second on both sides. It matters only when the TSC ran on while
 * jiffies stood still, for example because a virtual machine was paused. If the
 * TSC has been found unstable, the limit is PF_CLOCK_LATE ticks. A call that
 * stays on its CPU and takes less than a tick by that CPU's TSC is not checked.
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
