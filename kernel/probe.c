// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts the probe on handle_mm_fault: chooses the hook, and the clock that times
 * calls.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "probe.h"

#include <linux/cache.h>
#include <linux/limits.h>
#include <linux/printk.h>

#include "call.h"
#include "clock.h"
#include "direct.h"
#include "drift.h"
#include "include/page_faults.h"
#include "kretprobe.h"

/* The clock that times calls. Constant after pf_probe_init(). */
static enum pf_clock pf_probe_clock __ro_after_init;

/* The hook in use. Constant after pf_probe_init(). */
static bool pf_probe_is_direct __ro_after_init;

/*
 * Why hook=auto fell back to the return probe, else NULL. Constant after
 * pf_probe_init().
 */
static const char *pf_probe_reason __ro_after_init;

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
 * pf_probe_hook_name() - the hook in use
 *
 * Context: any, after pf_probe_init().
 * Return: PF_HOOK_NAME_DIRECT or PF_HOOK_NAME_KRETPROBE.
 */
const char *pf_probe_hook_name(void)
{
	return pf_probe_is_direct ? PF_HOOK_NAME_DIRECT :
				    PF_HOOK_NAME_KRETPROBE;
}

/**
 * pf_probe_hook_reason() - why the hook is no direct call
 *
 * Context: any, after pf_probe_init().
 * Return: a sentence without its full stop; NULL if it is a direct call, or if
 *	the return probe was asked for.
 */
const char *pf_probe_hook_reason(void)
{
	return pf_probe_reason;
}

/* Puts the direct call in place, unless the return probe is asked for. */
static int pf_probe_try_direct(enum pf_hook hook)
{
	const char *why;
	int err;

	if (hook == PF_HOOK_KRETPROBE)
		return 0;
	err = pf_direct_init(pf_probe_clock, &why);
	pf_probe_is_direct = !err;
	if (!err)
		return 0;
	if (hook == PF_HOOK_DIRECT || !IS_ENABLED(CONFIG_KRETPROBES)) {
		pr_err("hook=direct is not possible: %s\n", why);
		return err;
	}
	pr_info("hook=kretprobe: %s\n", why);
	pf_probe_reason = why;
	return 0;
}

static int pf_probe_attach(enum pf_hook hook, unsigned int maxactive)
{
	int err = pf_probe_try_direct(hook);

	if (err || pf_probe_is_direct)
		return err;
	err = pf_kretprobe_init(pf_probe_clock, maxactive);
	if (err)
		pr_err("cannot put a return probe on handle_mm_fault: error %d\n",
		       err);
	return err;
}

/**
 * pf_probe_init() - put the probe in place
 * @latency: whether calls are timed
 * @hook: which hook is asked for
 * @maxactive: calls that can be under way at once by a return probe; see
 *	struct kretprobe
 *
 * Context: process context, may sleep.
 * Return: 0, or a negative errno.
 */
int pf_probe_init(bool latency, enum pf_hook hook, unsigned int maxactive)
{
	int err = pf_call_learn_shmem();

	if (err) {
		pr_err("cannot make a shmem file: error %d\n", err);
		return err;
	}
	pf_probe_clock = latency ? pf_clock_choose() : PF_CLOCK_OFF;
	err = pf_probe_attach(hook, maxactive);
	if (err)
		return err;
	pf_drift_begin(pf_probe_is_direct ? UINT_MAX : maxactive);
	return 0;
}

/**
 * pf_probe_exit() - remove the probe, and wait for handlers that still run
 *
 * Context: process context, may sleep.
 */
void pf_probe_exit(void)
{
	if (pf_probe_is_direct)
		pf_direct_exit();
	else
		pf_kretprobe_exit();
}

/**
 * pf_probe_missed() - calls that the probe did not count
 *
 * Context: any.
 * Return: calls since load; 0 with the direct call.
 */
u64 pf_probe_missed(void)
{
	return pf_probe_is_direct ? 0 : pf_kretprobe_missed();
}
