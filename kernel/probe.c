// SPDX-License-Identifier: GPL-2.0-only
/* Puts the probe on handle_mm_fault, and chooses the clock that times calls. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "probe.h"

#include <linux/cache.h>
#include <linux/printk.h>

#include "call.h"
#include "clock.h"
#include "drift.h"
#include "kretprobe.h"

/* The clock that times calls. Constant after pf_probe_init(). */
static enum pf_clock pf_probe_clock __ro_after_init;

/**
 * pf_probe_clock_name() - the clock that times calls
 *
 * Context: any, after pf_probe_init().
 * Return: PF_CLOCK_NAME_*, or NULL if they are not timed.
 */
const char *pf_probe_clock_name(void)
{
	switch (pf_probe_clock) {
	case PF_CLOCK_TSC:
		return PF_CLOCK_NAME_TSC;
	case PF_CLOCK_LOCAL:
		return PF_CLOCK_NAME_LOCAL;
	default:
		return NULL;
	}
}

/**
 * pf_probe_init() - put the probe in place
 * @latency: whether calls are timed
 * @maxactive: calls that can be under way at once; see struct kretprobe
 *
 * Context: process context, may sleep.
 * Return: 0, or a negative errno.
 */
int pf_probe_init(bool latency, unsigned int maxactive)
{
	int err = pf_probe_learn_shmem();

	if (err) {
		pr_err("cannot make a shmem file: error %d\n", err);
		return err;
	}
	pf_probe_clock = latency ? pf_clock_choose() : PF_CLOCK_OFF;
	err = pf_kretprobe_init(pf_probe_clock, maxactive);
	if (err) {
		pr_err("cannot probe handle_mm_fault: error %d\n", err);
		return err;
	}
	pf_drift_begin(maxactive);
	return 0;
}

/**
 * pf_probe_exit() - remove the probe, and wait for handlers that still run
 *
 * Context: process context, may sleep.
 */
void pf_probe_exit(void)
{
	pf_kretprobe_exit();
}

/**
 * pf_probe_missed() - calls that the probe did not count
 *
 * Context: any.
 * Return: calls since load.
 */
u64 pf_probe_missed(void)
{
	return pf_kretprobe_missed();
}
