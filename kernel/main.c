// SPDX-License-Identifier: GPL-2.0-only
/*
 * page_faults: counts the page faults of every process and publishes them
 * through debugfs. This file has the parameters and starts the parts in order.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cache.h>
#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "blocks.h"
#include "carry.h"
#include "event.h"
#include "include/page_faults.h"
#include "lifecycle.h"
#include "probe.h"
#include "publish.h"
#include "reclaim.h"
#include "table.h"

#define PF_MAXACTIVE_MIN	16
#define PF_MAXACTIVE_MAX	65536

static unsigned int max_processes __ro_after_init = 16384;
module_param(max_processes, uint, 0444);
MODULE_PARM_DESC(max_processes,
		 "rows in the table, those of exited processes included, 16 to 4194304 (default 16384)");

static char *hook = "auto";
module_param(hook, charp, 0444);
MODULE_PARM_DESC(hook,
		 "how faults are seen: direct, kretprobe, or auto: direct where possible (default auto)");

static unsigned int maxactive __ro_after_init = 4096;
module_param(maxactive, uint, 0444);
MODULE_PARM_DESC(maxactive,
		 "with hook=kretprobe: faults that can be observed at the same time, 16 to 65536 (default 4096)");

static unsigned int blocks __ro_after_init = 256;
module_param(blocks, uint, 0444);
MODULE_PARM_DESC(blocks,
		 "processes that can have counters for each CPU, 0 to 4096 (default 256)");

static bool latency __ro_after_init = true;
module_param(latency, bool, 0444);
MODULE_PARM_DESC(latency,
		 "measure how long faults take: stall_ns, slow_* and the file latency (default 1)");

static unsigned int slow_us = PF_EVENT_SLOW_US_DEFAULT;
static bool pf_slow_us_is_given;

/* Whether the load is so far that it is known what latency is. */
static bool pf_latency_is_known;

static int pf_check_slow_us(unsigned int us)
{
	if (!us || latency)
		return 0;
	pr_err("slow_us cannot be set with latency=0, which measures no time\n");
	return -EINVAL;
}

/* Parses a number that has to be within 0 and @max. */
static int pf_parse(const char *text, const char *name, unsigned int max,
		    unsigned int *number)
{
	int err = kstrtouint(text, 0, number);

	if (!err && *number <= max)
		return 0;
	pr_err("%s is no number within 0 to %u\n", name, max);
	return -EINVAL;
}

static int pf_set_slow_us(const char *text, const struct kernel_param *param)
{
	unsigned int us;
	int err = pf_parse(text, param->name, PF_EVENT_SLOW_US_MAX, &us);

	if (!err && READ_ONCE(pf_latency_is_known))
		err = pf_check_slow_us(us);
	if (err)
		return err;
	slow_us = us;
	pf_slow_us_is_given = true;
	pf_event_set_slow_us(us);
	return 0;
}

static const struct kernel_param_ops pf_slow_us_ops = {
	.set = pf_set_slow_us,
	.get = param_get_uint,
};
module_param_cb(slow_us, &pf_slow_us_ops, &slow_us, 0644);
MODULE_PARM_DESC(slow_us,
		 "the trace event fires for faults that take longer, in us; 0: not for their time (default 1000)");

static unsigned int sample = PF_EVENT_SAMPLE_DEFAULT;

static int pf_set_sample(const char *text, const struct kernel_param *param)
{
	unsigned int n;
	int err = pf_parse(text, param->name, PF_EVENT_SAMPLE_MAX, &n);

	if (err)
		return err;
	sample = n;
	pf_event_set_sample(n);
	return 0;
}

static const struct kernel_param_ops pf_sample_ops = {
	.set = pf_set_sample,
	.get = param_get_uint,
};
module_param_cb(sample, &pf_sample_ops, &sample, 0644);
MODULE_PARM_DESC(sample,
		 "the trace event fires for every Nth of a CPU's other faults; 0: for none (default 97)");

/*
 * Has no effect. Old files in /etc/modprobe.d may set it to totals, which was a
 * mode once. sysfs does not show it, because it would show totals then.
 */
static char *detail = PF_DETAIL_FULL;
module_param(detail, charp, 0);
MODULE_PARM_DESC(detail, "full, the only value (default full)");

/* The parameter hook, indexed by enum pf_hook. */
static const char * const pf_hook_names[] = {
	[PF_HOOK_AUTO]	    = "auto",
	[PF_HOOK_DIRECT]    = PF_HOOK_NAME_DIRECT,
	[PF_HOOK_KRETPROBE] = PF_HOOK_NAME_KRETPROBE,
};

static int __init pf_check_hook(void)
{
	int choice = match_string(pf_hook_names, ARRAY_SIZE(pf_hook_names),
				  hook);

	if (choice < 0)
		pr_err("hook=%s is none of auto, direct, kretprobe\n", hook);
	return choice;
}

static int __init pf_check_range(const char *name, unsigned int value,
				 unsigned int min, unsigned int max)
{
	if (value >= min && value <= max)
		return 0;
	pr_err("%s=%u is not within %u to %u\n", name, value, min, max);
	return -EINVAL;
}

static int __init pf_check_detail(void)
{
	if (!strcmp(detail, PF_DETAIL_FULL))
		return 0;
	if (!strcmp(detail, "totals")) {
		pr_warn("detail=totals does not exist any more: loading with detail=full\n");
		return 0;
	}
	pr_err("detail=%s is unknown: it can only be " PF_DETAIL_FULL "\n",
	       detail);
	return -EINVAL;
}

/* Without a time no fault is slow. A slow_us that was given has to be 0 then. */
static int __init pf_settle_slow_us(void)
{
	int err = pf_slow_us_is_given ? pf_check_slow_us(slow_us) : 0;

	if (!err && !latency) {
		slow_us = 0;
		pf_event_set_slow_us(0);
	}
	WRITE_ONCE(pf_latency_is_known, true);
	return err;
}

static int __init pf_check_parameters(void)
{
	return pf_check_detail() ?:
	       pf_check_range("max_processes", max_processes,
			      PF_MAX_PROCESSES_MIN, PF_MAX_PROCESSES_MAX) ?:
	       pf_check_range("maxactive", maxactive, PF_MAXACTIVE_MIN,
			      PF_MAXACTIVE_MAX) ?:
	       pf_check_range("blocks", blocks, 0, PF_BLOCKS_MAX) ?:
	       pf_settle_slow_us();
}

/*
 * The exit hook starts before anything that makes entries and stops after it,
 * so that it sees the exit of every process that has an entry. The files come
 * last, so that a reader finds a table that counts.
 */
static int __init pf_init(void)
{
	int choice = pf_check_hook();
	int err = choice < 0 ? choice : pf_check_parameters();

	if (err)
		return err;
	err = pf_table_init(max_processes);
	if (err)
		goto fail;
	err = pf_blocks_init(blocks);
	if (err)
		goto destroy_table;
	err = pf_reclaim_init();
	if (err)
		goto exit_blocks;
	err = pf_carry_init();
	if (err)
		goto exit_reclaim;
	err = pf_lifecycle_init();
	if (err)
		goto destroy_carry;
	err = pf_probe_init(latency, choice, maxactive);
	if (err)
		goto exit_lifecycle;
	pf_table_begin();
	pf_table_fill();
	pf_reclaim_start();
	err = pf_publish_init(latency);
	if (err)
		goto exit_probe;
	pr_info("version " PF_MODULE_VERSION ", hook=%s, room for %u processes\n",
		pf_probe_hook_name(), max_processes);
	return 0;

exit_probe:
	pf_probe_exit();
exit_lifecycle:
	pf_lifecycle_exit();
destroy_carry:
	pf_carry_destroy();
exit_reclaim:
	pf_reclaim_exit();
exit_blocks:
	pf_blocks_exit();
destroy_table:
	pf_table_destroy();
fail:
	if (err == -ENOMEM)
		pr_err("not enough memory for max_processes=%u, maxactive=%u, blocks=%u\n",
		       max_processes, maxactive, blocks);
	return err;
}

static void __exit pf_exit(void)
{
	pf_publish_exit();
	pf_probe_exit();
	pf_lifecycle_exit();
	pf_carry_destroy();
	pf_reclaim_exit();
	pf_blocks_exit();
	pf_table_destroy();
}

module_init(pf_init);
module_exit(pf_exit);
MODULE_DESCRIPTION("Page faults of every process, published through debugfs");
MODULE_VERSION(PF_MODULE_VERSION);
MODULE_LICENSE("GPL");
