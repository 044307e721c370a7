/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace event page_faults:fault: for which faults it fires, and with which
 * weight. event_trace.h has its fields.
 *
 * It fires at most once for a completed fault:
 *
 * - for a fault that took longer than slow_us, with weight 1. A CPU on which
 *   more than PF_EVENT_BUDGET of them end in a second thins them out: each time
 *   that many have fired, it doubles the number of faults for which one fires.
 * - for every Nth of the other faults of a CPU, where N is sample.
 *
 * The weight is the number of faults, of the same of the two sorts, that this CPU
 * has seen since it last fired, this one included. So the weights of a sort add up
 * to its faults, except for the first and the last ones of each CPU: fewer than
 * sample, and than the stride.
 */
#ifndef PF_EVENT_H
#define PF_EVENT_H

#include <linux/compiler.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/mm_types.h>
#include <linux/percpu.h>
#include <linux/tracepoint-defs.h>
#include <linux/types.h>

#include "compat.h"
#include "tally.h"

DECLARE_TRACEPOINT(fault);

/* Slow faults of a CPU and second before they are thinned out. */
#define PF_EVENT_BUDGET	100

#define PF_EVENT_SAMPLE_DEFAULT		97
#define PF_EVENT_SAMPLE_MAX		1000000
#define PF_EVENT_SLOW_US_DEFAULT	1000
#define PF_EVENT_SLOW_US_MAX		1000000000

/**
 * struct pf_event_place - where in a file a fault is
 * @inode: the inode number; 0 if the mapping has no file
 * @page: the page of the file
 * @dev: the device of the file's file system
 */
struct pf_event_place {
	u64 inode;
	u64 page;
	dev_t dev;
};

/**
 * struct pf_event_cpu - what a CPU has to remember between two faults
 * @since: faults that were not slow since the event last fired for one
 * @slow_since: slow faults since the event last fired for one
 * @stride: the event fires for one of so many slow faults
 * @session: the value of pf_event_sessions that @slow_since is of
 * @fired: for how many it has fired with this stride
 * @second: the second of jiffies that @stride is of
 */
struct pf_event_cpu {
	unsigned int since;
	unsigned int slow_since;
	unsigned int stride;
	unsigned int fired;
	unsigned int session;
	unsigned long second;
};
DECLARE_PER_CPU(struct pf_event_cpu, pf_event_cpu);

/**
 * struct pf_event_rules - which faults the event fires for; root may change them
 * @slow_ns: faults that take longer are slow; U64_MAX if none is
 * @sample: it fires for every such fault; UINT_MAX if for none
 */
struct pf_event_rules {
	u64 slow_ns;
	unsigned int sample;
};
extern struct pf_event_rules pf_event_rules;

struct pf_call;

void pf_event_place_backing(struct pf_event_place *place,
			    const struct vm_area_struct *vma,
			    unsigned long address);
void pf_event_set_slow_us(unsigned int us);
void pf_event_set_sample(unsigned int n);
void pf_event_fire_slow(const struct pf_call *call, enum pf_severity severity,
			u64 ns);
void pf_event_fire_sample(const struct pf_call *call, enum pf_severity severity,
			  u64 ns);

static __always_inline void pf_event_place_of(struct pf_event_place *place,
					      const struct vm_area_struct *vma,
					      unsigned long address,
					      const struct inode *inode)
{
	place->inode = inode->i_ino;
	place->page = vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);
	place->dev = inode->i_sb->s_dev;
}

/**
 * pf_event_place() - note where in its file a fault is
 * @place: overwritten
 * @vma: the VMA that it faults in
 * @address: the address that faults
 *
 * The numbers are those of /proc/PID/maps: show_map_vma() (fs/proc/task_mmu.c). The
 * only function that it calls is called last: so no fault saves registers for it.
 *
 * Context: at the entry of handle_mm_fault, while the VMA may be looked at.
 */
static __always_inline void pf_event_place(struct pf_event_place *place,
					   const struct vm_area_struct *vma,
					   unsigned long address)
{
	if (!vma->vm_file)
		*place = (struct pf_event_place) {};
	else if (pf_compat_is_backing(vma->vm_file))
		pf_event_place_backing(place, vma, address);
	else
		pf_event_place_of(place, vma, address,
				  file_inode(vma->vm_file));
}

/**
 * pf_event_completed() - fire the event for a completed fault, if it is its turn
 * @call: the call that completed it, whose place was noted
 * @severity: minor or major
 * @ns: how long the fault took with its retries; 0 if calls are not timed
 *
 * Context: at the return of handle_mm_fault, preemption disabled.
 */
static __always_inline void pf_event_completed(const struct pf_call *call,
					       enum pf_severity severity,
					       u64 ns)
{
	if (ns > READ_ONCE(pf_event_rules.slow_ns)) {
		pf_event_fire_slow(call, severity, ns);
		return;
	}
	this_cpu_inc(pf_event_cpu.since);
	if (this_cpu_read(pf_event_cpu.since) >=
	    READ_ONCE(pf_event_rules.sample))
		pf_event_fire_sample(call, severity, ns);
}

#endif /* PF_EVENT_H */
