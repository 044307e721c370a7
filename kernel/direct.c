// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook by a direct call: ftrace makes handle_mm_fault call the trampoline,
 * which calls the functions here. Nothing is allocated or looked up for a call:
 * its notes are in the trampoline's frame on the stack. So any number of calls
 * can be under way, and none is missed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "direct.h"

#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/kmod.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/printk.h>

#include "call.h"
#include "compat.h"
#include "trampoline.h"

/*
 * Not a MODULE_SOFTDEP(): with one, `modprobe -r page_faults` tries to unload it
 * too, and prints an error.
 */
#define PF_DIRECT_MODULE	"page_faults_trampoline"

/* The generation of this load. Constant while calls are seen. */
static unsigned long pf_direct_generation __ro_after_init;

/* The trampoline, with a reference on its module. */
static const struct pf_trampoline *pf_direct_trampoline __ro_after_init;

static __always_inline void pf_direct_enter(const struct vm_area_struct *vma,
					    unsigned long address,
					    unsigned int flags, void *notes,
					    enum pf_clock clock, bool traced)
{
	struct pf_call *call = notes;

	BUILD_BUG_ON(sizeof(*call) > PF_TRAMPOLINE_NOTES);
	BUILD_BUG_ON(offsetof(struct pf_call, generation));
	call->generation = pf_direct_generation;
	pf_call_note(call, vma, address, flags, clock, traced);
}

static __always_inline void pf_direct_leave(const void *notes, vm_fault_t ret,
					    enum pf_clock clock)
{
	const struct pf_call *call = notes;

	/* The call began before this load, so that its entry was not noted. */
	if (unlikely(call->generation != pf_direct_generation))
		return;
	preempt_disable_notrace();
	pf_call_result(call, ret, clock);
	preempt_enable_notrace();
}

/*
 * Each clock has its own functions, so that no fault tests which it is. While the
 * trace event is enabled, another one notes the call: to keep the arguments until
 * the place is noted would cost each fault some instructions otherwise.
 */
#define PF_DIRECT_ENTER_TRACED(name, clock)				\
static noinline notrace void						\
pf_direct_enter_##name##_traced(const struct vm_area_struct *vma,	\
				unsigned long address,			\
				unsigned int flags, void *notes)	\
{									\
	pf_direct_enter(vma, address, flags, notes, clock, true);	\
}									\
NOKPROBE_SYMBOL(pf_direct_enter_##name##_traced)

#define PF_DIRECT_ENTER(name, clock)					\
static notrace void							\
pf_direct_enter_##name(const struct vm_area_struct *vma,		\
		       unsigned long address, unsigned int flags,	\
		       void *notes)					\
{									\
	if (tracepoint_enabled(fault))					\
		pf_direct_enter_##name##_traced(vma, address, flags,	\
						notes);			\
	else								\
		pf_direct_enter(vma, address, flags, notes, clock,	\
				false);					\
}									\
NOKPROBE_SYMBOL(pf_direct_enter_##name)

#define PF_DIRECT_LEAVE(name, clock)					\
static notrace void pf_direct_leave_##name(const void *notes,		\
					   vm_fault_t ret)		\
{									\
	pf_direct_leave(notes, ret, clock);				\
}									\
NOKPROBE_SYMBOL(pf_direct_leave_##name)

PF_DIRECT_ENTER_TRACED(untimed, PF_CLOCK_OFF);
PF_DIRECT_ENTER(untimed, PF_CLOCK_OFF);
PF_DIRECT_LEAVE(untimed, PF_CLOCK_OFF);
PF_DIRECT_ENTER_TRACED(local, PF_CLOCK_LOCAL);
PF_DIRECT_ENTER(local, PF_CLOCK_LOCAL);
PF_DIRECT_LEAVE(local, PF_CLOCK_LOCAL);
PF_DIRECT_ENTER_TRACED(tsc, PF_CLOCK_TSC);
PF_DIRECT_ENTER(tsc, PF_CLOCK_TSC);
PF_DIRECT_LEAVE(tsc, PF_CLOCK_TSC);

static int pf_direct_attach(enum pf_clock clock)
{
	unsigned long *generation = &pf_direct_generation;

	switch (clock) {
	case PF_CLOCK_TSC:
		return pf_direct_trampoline->attach(pf_direct_enter_tsc,
						    pf_direct_leave_tsc,
						    generation);
	case PF_CLOCK_LOCAL:
		return pf_direct_trampoline->attach(pf_direct_enter_local,
						    pf_direct_leave_local,
						    generation);
	default:
		return pf_direct_trampoline->attach(pf_direct_enter_untimed,
						    pf_direct_leave_untimed,
						    generation);
	}
}

/* Takes a reference on the trampoline; returns why it cannot, else NULL. */
static const char *pf_direct_find(void)
{
	if (pf_compat_tracks_call_depth())
		return "direct calls do not work with retbleed=stuff";
	request_module(PF_DIRECT_MODULE);
	pf_direct_trampoline = symbol_get(pf_trampoline);
	if (!pf_direct_trampoline)
		return "the module " PF_DIRECT_MODULE " is not loaded";
	if (pf_direct_trampoline->version == PF_TRAMPOLINE_VERSION &&
	    pf_direct_trampoline->notes_size >= sizeof(struct pf_call))
		return NULL;
	symbol_put(pf_trampoline);
	return "a " PF_DIRECT_MODULE " of another version is loaded, until the next boot";
}

/**
 * pf_direct_init() - put the direct call in place
 * @clock: the clock that times calls
 * @why: set to the reason if it fails, a sentence without its full stop
 *
 * Context: process context, may sleep.
 * Return: 0, or a negative errno: -EBUSY if another direct call is on the
 *	function.
 */
int pf_direct_init(enum pf_clock clock, const char **why)
{
	int err;

	*why = pf_direct_find();
	if (*why)
		return -EOPNOTSUPP;
	err = pf_direct_attach(clock);
	if (!err)
		return 0;
	symbol_put(pf_trampoline);
	*why = "BPF's fentry or fexit, a livepatch, or another holder is on handle_mm_fault";
	if (err != -EBUSY) {
		pr_warn("cannot register a direct call: error %d\n", err);
		*why = "the kernel refuses the direct call";
	}
	return err;
}

/**
 * pf_direct_exit() - remove the direct call
 *
 * Waits until no function of this file runs any more. A call that is still
 * under way returns through the trampoline, which stays, and is not counted.
 *
 * Context: process context, may sleep.
 */
void pf_direct_exit(void)
{
	pf_direct_trampoline->detach();
	symbol_put(pf_trampoline);
}
