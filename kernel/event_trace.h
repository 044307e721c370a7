/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fields of the trace event; include/page_faults.h says what they mean. The
 * numbers of __print_symbolic() are the enumerators of tally.h, whose names the
 * readers of the format do not know.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM page_faults

#if !defined(PF_EVENT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PF_EVENT_TRACE_H

#include <linux/ptrace.h>
#include <linux/sched/task_stack.h>
#include <linux/tracepoint.h>

#include "call.h"
#include "compat.h"

#ifndef PF_EVENT_TRACE_ONCE
#define PF_EVENT_TRACE_ONCE
int pf_event_switched_on(void);

/* Where the program is; 0 for a kernel thread, which has none. */
static inline unsigned long pf_event_ip(void)
{
	return current->flags & PF_KTHREAD ?
	       0 : instruction_pointer(task_pt_regs(current));
}
#endif

/* A class, because __perf_count() is only known in the arguments of one. */
DECLARE_EVENT_CLASS(pf_event,
	TP_PROTO(const struct pf_call *call, unsigned int severity, u64 ns,
		 bool slow, unsigned int weight),
	/* perf counts as many faults, and gives a sample this period. */
	TP_ARGS(call, severity, ns, slow, __perf_count(weight)),
	TP_STRUCT__entry(
		__field(u64, address)
		__field(u64, ip)
		__field(u64, ns)
		__field(u64, cgroup)
		__field(u64, inode)
		__field(u64, page)
		__field(u32, dev)
		__field(u32, weight)
		__field(u8, severity)
		__field(u8, access)
		__field(u8, origin)
		__field(u8, kind)
		__field(u8, slow)
	),
	TP_fast_assign(
		__entry->address = call->address;
		__entry->ip = pf_event_ip();
		__entry->ns = ns;
		__entry->cgroup = pf_compat_cgroup_id(current->group_leader);
		__entry->inode = call->place.inode;
		__entry->page = call->place.page;
		__entry->dev = call->place.dev;
		__entry->weight = weight;
		__entry->severity = severity;
		__entry->access = pf_tally_access(call->shape);
		__entry->origin = pf_tally_context(call->shape);
		__entry->kind = pf_tally_kind(call->shape);
		__entry->slow = slow;
	),
	TP_printk("%s %s %s %s address=0x%llx ip=0x%llx ns=%llu slow=%u weight=%u cgroup=%llu dev=%u:%u inode=%llu page=%llu",
		  __print_symbolic(__entry->severity,
				   { 0, "minor" }, { 1, "major" }),
		  __print_symbolic(__entry->access,
				   { 0, "read" }, { 1, "write" }, { 2, "exec" }),
		  __print_symbolic(__entry->origin,
				   { 0, "user" }, { 1, "kernel" }, { 2, "remote" }),
		  __print_symbolic(__entry->kind,
				   { 0, "anon" }, { 1, "file" }, { 2, "shmem" }, { 3, "hugetlb" }),
		  __entry->address, __entry->ip, __entry->ns, __entry->slow,
		  __entry->weight, __entry->cgroup, MAJOR(__entry->dev), MINOR(__entry->dev),
		  __entry->inode, __entry->page)
);

DEFINE_EVENT_FN(pf_event, fault,
	TP_PROTO(const struct pf_call *call, unsigned int severity, u64 ns,
		 bool slow, unsigned int weight),
	TP_ARGS(call, severity, ns, slow, weight),
	pf_event_switched_on, NULL
);

#endif /* PF_EVENT_TRACE_H */

/* Outside of the guard: the kernel's header includes this file several times. */
#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE event_trace
#include <trace/define_trace.h>
