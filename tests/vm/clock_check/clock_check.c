// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests kernel/clock.c in a kernel whose TSC is stable, and again after marking
 * the TSC unstable, which cannot be undone. The module loads if all cases are
 * right; otherwise the load fails with EINVAL, and the log has the wrong ones.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/printk.h>

#include "clock.c"

#define SECOND	((u64)tsc_khz * 1000)		/* cycles */
#define TICKS(n)	((s64)(n) * TICK_NSEC)		/* ns */

/*
 * A case: cycles of the TSC and ticks of jiffies, and the smallest and largest
 * result in ns that is right.
 */
struct clock_case {
	const char *what;
	u64 cycles;
	u32 ticks;
	s64 least;
	s64 most;
};

static int __init clock_check_case(const struct clock_case *c)
{
	s64 ns = pf_clock_check(c->cycles, c->ticks);

	if (ns >= c->least && ns <= c->most)
		return 0;
	pr_err("%s: %lld ns, not %lld to %lld\n", c->what, ns, c->least,
	       c->most);
	return -EINVAL;
}

static int __init clock_check_cases(const struct clock_case *c, size_t n)
{
	int err = 0;

	for (; n; n--, c++)
		err = clock_check_case(c) ?: err;
	return err;
}

/* Within a millionth, because the rate and tsc_khz are rounded. */
#define ABOUT(ns)	(ns) - (ns) / 1000000 - 1, (ns) + (ns) / 1000000 + 1

static int __init clock_check_stable(void)
{
	const s64 second = NSEC_PER_SEC;
	const struct clock_case cases[] = {
		{ "stable, nothing", 0, 0, 0, 0 },
		{ "stable, backwards", -5ULL, 0, 0, 0 },
		{ "stable, a second", SECOND, HZ, ABOUT(second) },
		{ "stable, late jiffies", SECOND / 2, 1, ABOUT(second / 2) },
		{ "stable, an hour", SECOND * 3600, 3600U * HZ,
		  ABOUT(second * 3600) },
		{ "stable, paused an hour", SECOND * 3600, 10, 0,
		  2 * second + TICKS(10) },
		{ "stable, set back", -SECOND, 60 * HZ, 59 * second,
		  60 * second },
	};

	return clock_check_cases(cases, ARRAY_SIZE(cases));
}

static int __init clock_check_unstable(void)
{
	const s64 second = NSEC_PER_SEC;
	const struct clock_case cases[] = {
		{ "unstable, backwards", -SECOND, 0, 0, 0 },
		{ "unstable, as jiffies", SECOND, HZ, ABOUT(second) },
		{ "unstable, ahead", SECOND * 3600, 10, TICKS(10), TICKS(20) },
		{ "unstable, behind", 5, HZ, TICKS(HZ - 10), TICKS(HZ) },
		{ "unstable, no tick", 5, 0, 0, 10 },
	};

	return clock_check_cases(cases, ARRAY_SIZE(cases));
}

/* The path without pf_clock_check(): less than a tick, on one CPU. */
static int __init clock_check_short(void)
{
	struct pf_stamp stamp;
	u64 start;
	s64 ns;

	preempt_disable();
	pf_clock_stamp(PF_CLOCK_TSC, &stamp);
	start = stamp.time;
	while (rdtsc() - start < SECOND / 10000)
		cpu_relax();
	ns = pf_clock_since(PF_CLOCK_TSC, &stamp);
	preempt_enable();
	if (ns >= NSEC_PER_SEC / 10000 - 1)
		return 0;
	pr_err("100 us are %lld ns\n", ns);
	return -EINVAL;
}

static int __init clock_check_init(void)
{
	int err = 0;

	if (pf_clock_choose() != PF_CLOCK_TSC) {
		pr_err("the TSC is not stable to begin with\n");
		return -EINVAL;
	}
	err = clock_check_stable() ?: err;
	err = clock_check_short() ?: err;
	mark_tsc_unstable("clock_check");
	err = clock_check_unstable() ?: err;
	if (pf_clock_choose() != PF_CLOCK_LOCAL) {
		pr_err("an unstable TSC is chosen\n");
		err = -EINVAL;
	}
	return err;
}

static void __exit clock_check_exit(void)
{
}

module_init(clock_check_init);
module_exit(clock_check_exit);
MODULE_DESCRIPTION("Test of page_faults' clock");
MODULE_LICENSE("GPL");
