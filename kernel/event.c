// SPDX-License-Identifier: GPL-2.0-only
/* What is rare in firing the trace event; see event.h. */
#include "event.h"

#include <linux/cache.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/time64.h>

#include "call.h"

#define CREATE_TRACE_POINTS
#include "event_trace.h"

struct pf_event_rules pf_event_rules __read_mostly = {
	.slow_ns = PF_EVENT_SLOW_US_DEFAULT * NSEC_PER_USEC,
	.sample = PF_EVENT_SAMPLE_DEFAULT,
};

DEFINE_PER_CPU(struct pf_event_cpu, pf_event_cpu);

/* How often the event was switched on. */
static unsigned int pf_event_sessions;

/**
 * pf_event_switched_on() - begin a session: somebody uses the event again
 *
 * Context: process context, under the lock of the tracepoints.
 * Return: 0.
 */
int pf_event_switched_on(void)
{
	WRITE_ONCE(pf_event_sessions, pf_event_sessions + 1);
	return 0;
}

/**
 * pf_event_set_slow_us() - say which faults are slow
 * @us: those that take longer; 0 if none is
 *
 * Context: any.
 */
void pf_event_set_slow_us(unsigned int us)
{
	WRITE_ONCE(pf_event_rules.slow_ns,
		   us ? (u64)us * NSEC_PER_USEC : U64_MAX);
}

/**
 * pf_event_set_sample() - say for which faults the event fires that are not slow
 * @n: for every nth of a CPU; 0 if for none
 *
 * Context: any.
 */
void pf_event_set_sample(unsigned int n)
{
	WRITE_ONCE(pf_event_rules.sample, n ?: UINT_MAX);
}

/**
 * pf_event_place_backing() - as pf_event_place(), for a file of a layer
 * @place: overwritten
 * @vma: the VMA that it faults in
 * @address: the address that faults
 *
 * Context: as pf_event_place().
 */
void pf_event_place_backing(struct pf_event_place *place,
			    const struct vm_area_struct *vma,
			    unsigned long address)
{
	pf_event_place_of(place, vma, address,
			  pf_compat_mapped_inode(vma->vm_file));
}
NOKPROBE_SYMBOL(pf_event_place_backing);

/* The weight of the event for a slow fault; 0 if it does not fire for it. */
static unsigned int pf_event_slow_weight(struct pf_event_cpu *cpu)
{
	unsigned int session = READ_ONCE(pf_event_sessions);
	unsigned long second = jiffies / HZ;
	unsigned int weight;

	if (cpu->session != session)
		cpu->slow_since = 0;
	if (cpu->session != session || cpu->second != second) {
		cpu->session = session;
		cpu->second = second;
		cpu->stride = 1;
		cpu->fired = 0;
	}
	if (++cpu->slow_since < cpu->stride)
		return 0;
	weight = cpu->slow_since;
	cpu->slow_since = 0;
	if (++cpu->fired == PF_EVENT_BUDGET) {
		cpu->fired = 0;
		cpu->stride *= 2;
	}
	return weight;
}
NOKPROBE_SYMBOL(pf_event_slow_weight);

/**
 * pf_event_fire_slow() - fire the event for a slow fault, or leave it out
 * @call: see pf_event_completed()
 * @severity: see there
 * @ns: see there
 *
 * Context: as pf_event_completed().
 */
void pf_event_fire_slow(const struct pf_call *call, enum pf_severity severity,
			u64 ns)
{
	unsigned int weight = pf_event_slow_weight(this_cpu_ptr(&pf_event_cpu));

	if (weight)
		trace_fault(call, severity, ns, true, weight);
}
NOKPROBE_SYMBOL(pf_event_fire_slow);

/**
 * pf_event_fire_sample() - fire the event for a fault that is not slow
 * @call: see pf_event_completed()
 * @severity: see there
 * @ns: see there
 *
 * Context: as pf_event_completed().
 */
void pf_event_fire_sample(const struct pf_call *call, enum pf_severity severity,
			  u64 ns)
{
	unsigned int sample = READ_ONCE(pf_event_rules.sample);
	unsigned int since = this_cpu_xchg(pf_event_cpu.since, 0);

	if (sample == UINT_MAX)		/* for none */
		return;
	/* More than @sample were counted by another rule, or before this session. */
	trace_fault(call, severity, ns, false, min(since, sample));
}
NOKPROBE_SYMBOL(pf_event_fire_sample);
