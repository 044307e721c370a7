// SPDX-License-Identifier: GPL-2.0-only
/* Compares our count with the kernel's own event PGFAULT; see drift.h. */
#include "drift.h"

#include <linux/cpu.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pid_namespace.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/vmstat.h>

#include "compat.h"
#include "racy.h"
#include "table.h"

/*
 * The base is the event PGFAULT minus our count, taken when the probe is in
 * place. A call that was under way then could be in the kernel's count and not
 * yet in ours, so the base can be too large by the number of such calls. The
 * slack is how many there can have been; see pf_drift_read().
 */
static DEFINE_MUTEX(pf_drift_lock);
static s64 pf_drift_base;	/* pf_drift_lock */
static s64 pf_drift_slack;	/* pf_drift_lock */

/* How much the event PGFAULT should have grown since load, by our count. */
static s64 pf_drift_expected(const struct pf_sums *sums)
{
	u64 n = sums->v[PF_SUM_FAULTS] + sums->v[PF_SUM_SIGBUS] +
		sums->v[PF_SUM_SIGSEGV] + sums->v[PF_SUM_OOM] +
		sums->v[PF_SUM_HWPOISON];

	if (PF_PGFAULT_COUNTS_RETRIES)
		n += sums->v[PF_SUM_RETRIED];
	return n;
}

/* The same for what we counted on one CPU. */
static s64 pf_drift_counted(int cpu)
{
	const struct pf_cpu_tally *tally = per_cpu_ptr(&pf_table_global, cpu);
	unsigned int i;
	s64 n = 0;

	for (i = PF_COUNTER_CELLS; i <= PF_COUNTER_HWPOISON; i++)
		if (PF_PGFAULT_COUNTS_RETRIES || i != PF_COUNTER_RETRIED)
			n += READ_ONCE(tally->n[i]);
	return n;
}

/* Runs on each CPU: adds the kernel's count there minus ours. */
static void pf_drift_base_on_cpu(void *base)
{
	atomic64_add(this_cpu_read(vm_event_states.event[PGFAULT]) -
		     pf_drift_counted(smp_processor_id()), base);
}

/*
 * Each CPU computes its part of the base in an interrupt, where no fault of
 * that CPU can come between the two readings. If this CPU read the counters of
 * all, a fault could come between, and would be in one of the two sums only.
 */
static s64 pf_drift_take_base(void)
{
	atomic64_t base = ATOMIC64_INIT(0);
	int cpu;

	cpus_read_lock();
	on_each_cpu(pf_drift_base_on_cpu, &base, 1);
	/*
	 * When a CPU goes offline, the kernel moves its events to another CPU
	 * (vm_events_fold_cpu() in mm/vmstat.c). Our count stays where it is.
	 */
	for_each_possible_cpu(cpu)
		if (!cpu_online(cpu))
			atomic64_sub(pf_drift_counted(cpu), &base);
	cpus_read_unlock();
	return atomic64_read(&base);
}

/*
 * A call that began before the probe was there is never counted by us. The
 * kernel can still be about to count it: since 6.4 it does so at the end of the
 * call; before, near its start, where the thread can be preempted if the kernel
 * is preemptible. Counted after the base is taken, it would stay in the drift.
 * After this wait every task has been in user mode or has slept
 * (kernel/rcu/tasks.h), so only calls that sleep are left from before the probe.
 */
static void pf_drift_wait_for_calls(void)
{
	if (!PF_PGFAULT_COUNTS_RETRIES || preempt_model_preemptible())
		synchronize_rcu_tasks();
}

/* At least as many as there are threads: each has a pid in this namespace. */
static unsigned int pf_drift_threads(void)
{
	return pf_racy_read(init_pid_ns.pid_allocated) & ~PIDNS_ADDING;
}

/*
 * How many calls can be in the kernel's count and not yet in ours when the base
 * is taken. Before 6.4 the kernel counts a call at its start: every call that
 * the probe has under way, which is one a thread. Since 6.4: the calls between
 * the kernel's count and their return. That is one a CPU. If the kernel is
 * preemptible, any number of threads can be stopped there.
 *
 * The margin is for threads that have exited since the base was taken, and for
 * calls inside another call of the same thread.
 */
static unsigned int pf_drift_base_slack(unsigned int calls)
{
	unsigned int margin = 4 * num_possible_cpus();

	if (PF_PGFAULT_COUNTS_RETRIES || preempt_model_preemptible())
		return min(calls, pf_drift_threads() + margin);
	return min(calls, margin);
}

/**
 * pf_drift_begin() - note by how much the two counts differ at load
 * @calls: calls that the probe can have under way at the same time; UINT_MAX if
 *	it has no limit
 *
 * Context: process context, may sleep; the probe is in place.
 */
void pf_drift_begin(unsigned int calls)
{
	pf_drift_wait_for_calls();
	pf_drift_base = pf_drift_take_base();
	pf_drift_slack = pf_drift_base_slack(calls);
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
 * pf_drift_read() - compare our count with the kernel's own event PGFAULT
 * @global: our count since load, summed a moment ago
 * @pgfault: set to how much the event has grown since load; before 6.4 a call
 *	that is to be retried counts too
 *
 * A call under way can be in the kernel's count and not yet in ours, but not
 * the other way round. So a positive difference means that calls were under way
 * when the base was taken. The base is then corrected, by the slack at most.
 *
 * Context: process context, may sleep.
 * Return: our count minus the kernel's.
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
