// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook by a return probe. The kernel calls both handlers with preemption
 * disabled, and keeps struct pf_call for a call in the meantime.
 */
#include "kretprobe.h"

#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include "call.h"

/* handle_mm_fault(vma, address, flags, regs), in mm/memory.c. */
static __always_inline int pf_kretprobe_entry(struct kretprobe_instance *ri,
					      struct pt_regs *regs,
					      enum pf_clock clock)
{
	pf_call_note((struct pf_call *)ri->data,
		     (void *)regs_get_kernel_argument(regs, 0),
		     regs_get_kernel_argument(regs, 1),
		     regs_get_kernel_argument(regs, 2), clock,
		     tracepoint_enabled(fault));
	return 0;
}

static __always_inline int pf_kretprobe_return(struct kretprobe_instance *ri,
					       struct pt_regs *regs,
					       enum pf_clock clock)
{
	pf_call_result((const struct pf_call *)ri->data,
		       (__force vm_fault_t)regs_return_value(regs), clock);
	return 0;
}

/* Each clock has its own handlers, so that no fault tests which it is. */
#define PF_KRETPROBE_ENTRY(name, clock)					\
static int pf_kretprobe_entry_##name(struct kretprobe_instance *ri,	\
				 struct pt_regs *regs)			\
{									\
	return pf_kretprobe_entry(ri, regs, clock);				\
}									\
NOKPROBE_SYMBOL(pf_kretprobe_entry_##name)

#define PF_KRETPROBE_RETURN(name, clock)					\
static int pf_kretprobe_return_##name(struct kretprobe_instance *ri,	\
				  struct pt_regs *regs)			\
{									\
	return pf_kretprobe_return(ri, regs, clock);			\
}									\
NOKPROBE_SYMBOL(pf_kretprobe_return_##name)

PF_KRETPROBE_ENTRY(untimed, PF_CLOCK_OFF);
PF_KRETPROBE_RETURN(untimed, PF_CLOCK_OFF);
PF_KRETPROBE_ENTRY(local, PF_CLOCK_LOCAL);
PF_KRETPROBE_RETURN(local, PF_CLOCK_LOCAL);
PF_KRETPROBE_ENTRY(tsc, PF_CLOCK_TSC);
PF_KRETPROBE_RETURN(tsc, PF_CLOCK_TSC);

static struct kretprobe pf_kretprobe = {
	.kp.symbol_name = "handle_mm_fault",
	.data_size = sizeof(struct pf_call),
};

static void pf_kretprobe_set_handlers(enum pf_clock clock)
{
	switch (clock) {
	case PF_CLOCK_TSC:
		pf_kretprobe.entry_handler = pf_kretprobe_entry_tsc;
		pf_kretprobe.handler = pf_kretprobe_return_tsc;
		break;
	case PF_CLOCK_LOCAL:
		pf_kretprobe.entry_handler = pf_kretprobe_entry_local;
		pf_kretprobe.handler = pf_kretprobe_return_local;
		break;
	case PF_CLOCK_OFF:
		pf_kretprobe.entry_handler = pf_kretprobe_entry_untimed;
		pf_kretprobe.handler = pf_kretprobe_return_untimed;
	}
}

/**
 * pf_kretprobe_init() - put the return probe in place
 * @clock: the clock that times calls
 * @maxactive: calls that can be under way at once; see struct kretprobe
 *
 * Context: process context, may sleep.
 * Return: 0, or a negative errno.
 */
int pf_kretprobe_init(enum pf_clock clock, unsigned int maxactive)
{
	pf_kretprobe.maxactive = maxactive;
	pf_kretprobe_set_handlers(clock);
	return register_kretprobe(&pf_kretprobe);
}

/**
 * pf_kretprobe_exit() - remove the return probe
 *
 * Waits for handlers that still run. A call that is still under way returns
 * through the kernel's own trampoline and is not counted.
 *
 * Context: process context, may sleep.
 */
void pf_kretprobe_exit(void)
{
	unregister_kretprobe(&pf_kretprobe);
}

/**
 * pf_kretprobe_missed() - calls that the probe did not count
 *
 * Either more than maxactive calls were under way, or the probe was hit inside
 * another probe's handler.
 *
 * Context: any.
 * Return: calls since load.
 */
u64 pf_kretprobe_missed(void)
{
	/* The kernel writes both without WRITE_ONCE(); any recent values do. */
	return data_race((u64)(u32)READ_ONCE(pf_kretprobe.nmissed) +
			 READ_ONCE(pf_kretprobe.kp.nmissed));
}
