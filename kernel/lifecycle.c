// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells the table when a thread group is gone. The tracepoint
 * sched_process_exit fires for each thread; the group is gone when signal->live
 * is 0 (do_exit() in kernel/exit.c).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "lifecycle.h"

#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "carry.h"
#include "compat.h"
#include "table.h"

/* Looked up by name, since the tracepoint's symbol is not exported. */
static struct tracepoint *pf_lifecycle_tracepoint __ro_after_init;

static void pf_lifecycle_on_exit(PF_EXIT_PROTO(data, task))
{
	pf_carry_forget(task);
	if (!atomic_read(&task->signal->live))
		pf_table_exit(task);
}

static void pf_lifecycle_match(struct tracepoint *tp, void *found)
{
	if (!strcmp(tp->name, "sched_process_exit"))
		*(struct tracepoint **)found = tp;
}

/**
 * pf_lifecycle_init() - start listening for exits
 *
 * Context: process context, may sleep.
 * Return: 0, or a negative errno.
 */
int pf_lifecycle_init(void)
{
	int err;

	for_each_kernel_tracepoint(pf_lifecycle_match,
				   &pf_lifecycle_tracepoint);
	if (!pf_lifecycle_tracepoint) {
		pr_err("the kernel has no tracepoint sched_process_exit (CONFIG_TRACEPOINTS)\n");
		return -ENOENT;
	}
	err = tracepoint_probe_register(pf_lifecycle_tracepoint,
					pf_lifecycle_on_exit, NULL);
	if (err)
		pr_err("cannot register on the tracepoint sched_process_exit: error %d\n",
		       err);
	return err;
}

/**
 * pf_lifecycle_exit() - stop listening, and wait for callbacks that still run
 *
 * Context: process context, may sleep.
 */
void pf_lifecycle_exit(void)
{
	tracepoint_probe_unregister(pf_lifecycle_tracepoint,
				    pf_lifecycle_on_exit, NULL);
	tracepoint_synchronize_unregister();
}
