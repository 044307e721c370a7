// SPDX-License-Identifier: GPL-2.0-only
/*
 * page_faults_trampoline: the code that handle_mm_fault calls, and that calls
 * page_faults, if it is attached. It has no exit function, so that it is never
 * unloaded; see trampoline.h.
 *
 * The calls of page_faults are static calls: jumps that are patched when it is
 * attached, and returns when it is not.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "trampoline.h"

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/ftrace.h>
#include <linux/init.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include "compat.h"
#include "trampoline_body.h"

DEFINE_STATIC_CALL_NULL(pf_trampoline_enter, pf_trampoline_enter);
DEFINE_STATIC_CALL_NULL(pf_trampoline_leave, pf_trampoline_leave);

/**
 * pf_trampoline_enter() - call the attached module, at the entry
 * @vma: see pf_trampoline_enter_fn
 * @address: see there
 * @flags: see there
 * @notes: see there
 *
 * The static call is here and not in the assembly: there objtool would make a call
 * site of __SCT__ that the module loader refuses.
 *
 * Context: that of handle_mm_fault.
 */
notrace void pf_trampoline_enter(const struct vm_area_struct *vma,
				 unsigned long address, unsigned int flags,
				 void *notes)
{
	static_call_cond(pf_trampoline_enter)(vma, address, flags, notes);
}
NOKPROBE_SYMBOL(pf_trampoline_enter);

/**
 * pf_trampoline_leave() - call the attached module, at the return
 * @notes: see pf_trampoline_leave_fn
 * @ret: see there
 *
 * Context: that of handle_mm_fault.
 */
notrace void pf_trampoline_leave(const void *notes, vm_fault_t ret)
{
	static_call_cond(pf_trampoline_leave)(notes, ret);
}
NOKPROBE_SYMBOL(pf_trampoline_leave);

/*
 * The filter of the ops is set once and never freed: on 6.1 and 6.12 the ops keep
 * pointers to a freed filter, and the next registration uses them.
 */
static struct ftrace_ops pf_trampoline_ops;

/* How many times a module was attached. */
static unsigned long pf_trampoline_generation;

/* Whether a module is attached. */
static atomic_t pf_trampoline_taken = ATOMIC_INIT(0);

/*
 * Lets both calls do nothing, and waits until no thread is inside of what they
 * called. What they call does not sleep, so a thread that has slept or has been
 * in user mode is out of it: this is what Tasks RCU waits for. A thread that was
 * preempted in it is waited for. One that sleeps in handle_mm_fault is not.
 */
static void pf_trampoline_disconnect(void)
{
	static_call_update(pf_trampoline_enter, NULL);
	static_call_update(pf_trampoline_leave, NULL);
	synchronize_rcu_tasks();
}

static int pf_trampoline_attach(pf_trampoline_enter_fn enter,
				pf_trampoline_leave_fn leave,
				unsigned long *generation)
{
	int err;

	if (atomic_cmpxchg(&pf_trampoline_taken, 0, 1))
		return -EBUSY;
	*generation = ++pf_trampoline_generation;
	static_call_update(pf_trampoline_leave, leave);
	static_call_update(pf_trampoline_enter, enter);
	err = pf_compat_register_direct(&pf_trampoline_ops,
					(unsigned long)pf_trampoline_code);
	if (err) {
		pf_trampoline_disconnect();
		atomic_set(&pf_trampoline_taken, 0);
	}
	return err;
}

static void pf_trampoline_detach(void)
{
	pf_compat_unregister_direct(&pf_trampoline_ops,
				    (unsigned long)pf_trampoline_code);
	pf_trampoline_disconnect();
	atomic_set(&pf_trampoline_taken, 0);
}

const struct pf_trampoline pf_trampoline = {
	.version = PF_TRAMPOLINE_VERSION,
	.notes_size = PF_TRAMPOLINE_NOTES,
	.attach = pf_trampoline_attach,
	.detach = pf_trampoline_detach,
};
EXPORT_SYMBOL_GPL(pf_trampoline);

/* Whether the body of handle_mm_fault is where the trampoline calls it. */
static bool __init pf_trampoline_knows_body(void)
{
	static const u8 nop[] __initconst = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
	const u8 *site = (const u8 *)handle_mm_fault + PF_TRAMPOLINE_CALL;

	switch (READ_ONCE(*site)) {
	case 0xe8:	/* a call: it is traced at this moment */
	case 0xe9:	/* a jump: by BPF's fexit, since 7.0 */
	case 0xcc:	/* int3: the kernel changes it at this moment */
		return true;
	default:
		return !memcmp(site, nop, sizeof(nop));
	}
}

/*
 * The reference that is kept here makes modprobe say that the module is in use.
 * Without it modprobe -r -f would remove the module, from under the threads that
 * sleep in it.
 */
static int __init pf_trampoline_init(void)
{
	int err;

	if (!pf_trampoline_knows_body()) {
		pr_err("handle_mm_fault does not begin as in the kernels that are known\n");
		return -EOPNOTSUPP;
	}
	err = ftrace_set_filter_ip(&pf_trampoline_ops,
				   (unsigned long)handle_mm_fault, 0, 0);
	if (err) {
		pr_err("cannot choose handle_mm_fault for ftrace: error %d\n",
		       err);
		return err;
	}
	__module_get(THIS_MODULE);
	return 0;
}

module_init(pf_trampoline_init);
MODULE_DESCRIPTION("Trampoline on handle_mm_fault for page_faults; stays until the next boot");
MODULE_VERSION(PF_MODULE_VERSION);
MODULE_LICENSE("GPL");
