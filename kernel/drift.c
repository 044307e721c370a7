// SPDX-License-Identifier: GPL-2.0-only
/* Holds our count against the kernel's own event PGFAULT; see drift.h. */
#include "drift.h"

#include <linux/cpu.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/vmstat.h>

#include "compat.h"
#include "table.h"

/*
 * The event PGFAULT, less what we had counted, when the probe was in place. A
 * call under way then was in the one and not yet in the other, so that the
 * base may be too large by as many: see pf_drift_read().
 */
static DEFINE_MUTEX(pf_drift_lock);
static s64 pf_drift_base;	/* pf_drift_lock */
static s64 pf_drift_slack;	/* pf_drift_lock */

/* What the kernel's own event should have grown by, by our count. */
static s64 pf_drift_expected(const struct pf_sums *sums)
{
	u64 n = sums->v[PF_SUM_FAULTS] + sums->v[PF_SUM_SIGBUS] +
		sums->v[PF_SUM_SIGSEGV] + sums->v[PF_SUM_OOM] +
		sums->v[PF_SUM_HWPOISON];

	if (PF_PGFAULT_COUNTS_RETRIES)
		n += sums->v[PF_SUM_RETRIED];
	return n;
}

/* What the event should have grown by for what we counted on a CPU. */
static s64 pf_drift_counted(int cpu)
{
	const struct pf_cpu_tally *tally = per_cpu_ptr(&pf_table_global, cpu);
	unsigned int i;
	s64 n = 0;

	for (i = 0; i < PF_COUNTER_STALL_NS; i++)
		if (PF_PGFAULT_COUNTS_RETRIES || i != PF_COUNTER_RETRIED)
			n += READ_ONCE(tally->n[i]);
	return n;
}

/* Runs on each CPU: what the kernel counted there, less what we did. */
static void pf_drift_base_on_cpu(void *base)
{
	atomic64_add(this_cpu_read(vm_event_states.event[PGFAULT]) -
		     pf_drift_counted(smp_processor_id()), base);
}

/*
 * The base is taken on every CPU from its own interrupt, between two of its
 * faults, since a sum over the CPUs from here would count those that happen
 * while it is made on one side only.
 */
static s64 pf_drift_take_base(void)
{
	atomic64_t base = ATOMIC64_INIT(0);
	int cpu;

	cpus_read_lock();
	on_each_cpu(pf_drift_base_on_cpu, &base, 1);
	/*
	 * A CPU that goes offline has its events folded into another's
	 * (mm/vmstat.c, vm_events_fold_cpu); what we counted there stays.
	 */
	for_each_possible_cpu(cpu)
		if (!cpu_online(cpu))
			atomic64_sub(pf_drift_counted(cpu), &base);
	cpus_read_unlock();
	return atomic64_read(&base);
}

/*
 * Where the kernel counts a call at its end (6.4 and later), one that was under
 * way when the probe came would be in its count and never in ours. After this
 * none is that has not gone to sleep in it: every task has slept, or has been in
 * user mode (kernel/rcu/tasks.h).
 */
static void pf_drift_wait_for_calls(void)
{
	if (!PF_PGFAULT_COUNTS_RETRIES)
		synchronize_rcu_tasks();
}

/*
 * Calls that may be in the kernel's count and not yet in ours while the base is
 * taken. Where the kernel counts a call when it begins, any that began since the
 * probe is there; where it does at the end, those between its count and the
 * return: one a CPU and few more, unless all who run are preempted anywhere.
 */
static unsigned int pf_drift_base_slack(unsigned int maxactive)
{
	if (PF_PGFAULT_COUNTS_RETRIES || preempt_model_full() ||
	    preempt_model_rt())
		return maxactive;
	return min(maxactive, 4 * num_possible_cpus());
}

/**
 * pf_drift_begin() - take the base from which both counts grow
 * @maxactive: calls the probe can have under way at once
 *
 * Context: process context, may sleep; the probe is in place.
 */
void pf_drift_begin(unsigned int maxactive)
{
	pf_drift_wait_for_calls();
	pf_drift_base = pf_drift_take_base();
	pf_drift_slack = pf_drift_base_slack(maxactive);
}

/* The event PGFAULT since boot. */
static s64 pf_drift_events(void)
{
	s64 sum = 0;
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		sum += READ_ONCE(per_cpu(vm_event_states, cpu).event[PGFAULT]);
	cpus_read_unlock();
	return sum;
}

/**
 * pf_drift_read() - hold our count against the kernel's own event PGFAULT
 * @global: what was counted since load, summed up a moment ago
 * @pgfault: set to what it has grown by; on kernels before 6.4 every call
 *	counts, a retry included
 *
 * A call under way is in the kernel's count and not yet in ours, never the
 * other way round. So a positive difference says that the base was taken with
 * calls under way: it is corrected, by no more than could have been.
 *
 * Context: process context, may sleep.
 * Return: ours less the kernel's.
 */
s64 pf_drift_read(const struct pf_sums *global, s64 *pgfault)
{
	s64 drift;

	mutex_lock(&pf_drift_lock);
	*pgfault = pf_drift_events() - pf_drift_base;
	drift = pf_drift_expected(global) - *pgfault;
	if (drift > 0) {
		s64 excess = min(drift, pf_drift_slack);

		pf_drift_slack -= excess;
		pf_drift_base -= excess;
		*pgfault += excess;
		drift -= excess;
	}
	mutex_unlock(&pf_drift_lock);
	return drift;
}
