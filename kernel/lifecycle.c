// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells the table when a thread group is gone, by the tracepoint
 * sched_process_exit. It fires once a thread; the group is gone when
 * signal->live is 0 (kernel/exit.c, do_exit).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "lifecycle.h"

#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "carry.h"
#include "compat.h"
#include "table.h"

/* The tracepoint's symbol is not exported: it is looked up by name. */
static struct tracepoint *pf_lifecycle_tracepoint;

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
 * pf_lifecycle_init() - start to listen for exits
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
 * pf_lifecycle_exit() - stop to listen, and wait for listeners still running
 *
 * Context: process context, may sleep.
 */
void pf_lifecycle_exit(void)
{
	tracepoint_probe_unregister(pf_lifecycle_tracepoint,
				    pf_lifecycle_on_exit, NULL);
	tracepoint_synchronize_unregister();
}
