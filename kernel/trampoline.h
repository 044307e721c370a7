/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface of page_faults_trampoline: all that page_faults uses of it.
 *
 * page_faults_trampoline is a module of its own, because it is never unloaded.
 * A thread that sleeps inside handle_mm_fault returns through its code, possibly
 * hours after page_faults was unloaded. kernel/README.md says more.
 *
 * The loaded trampoline can be older than page_faults, since it stays until the
 * next boot. So page_faults looks at the version before it uses anything else.
 */
#ifndef PF_TRAMPOLINE_H
#define PF_TRAMPOLINE_H

/* Raised with each change of struct pf_trampoline or of what it promises. */
#define PF_TRAMPOLINE_VERSION	1

/* Bytes on the stack of a call, for the notes of the one who is attached. */
#define PF_TRAMPOLINE_NOTES	64

#ifndef __ASSEMBLER__

#include <linux/mm_types.h>

/**
 * typedef pf_trampoline_enter_fn - called when handle_mm_fault is called
 * @vma: its argument
 * @address: its argument
 * @flags: its argument
 * @notes: PF_TRAMPOLINE_NOTES bytes, of which the first eight are 0
 *
 * Runs in the thread that faults, in its context. May not sleep.
 */
typedef void (*pf_trampoline_enter_fn)(const struct vm_area_struct *vma,
				       unsigned long address,
				       unsigned int flags, void *notes);

/**
 * typedef pf_trampoline_leave_fn - called when handle_mm_fault returns
 * @notes: as the entry left them. If nobody was attached when the call began,
 *	the first eight bytes are 0. They can also be those of one who was
 *	attached earlier.
 * @ret: what handle_mm_fault returns
 *
 * Runs in the thread that faults, in its context. May not sleep.
 */
typedef void (*pf_trampoline_leave_fn)(const void *notes, vm_fault_t ret);

/**
 * struct pf_trampoline - the interface
 * @version: PF_TRAMPOLINE_VERSION of the module that is loaded
 * @notes_size: its PF_TRAMPOLINE_NOTES
 * @attach: puts the trampoline on handle_mm_fault. Sets @generation to a number
 *	that is not 0 and that no earlier one who was attached had, before the
 *	first call of @enter. Returns 0, or a negative errno: -EBUSY if
 *	somebody is attached, or the function has another holder: BPF's fentry
 *	or fexit, or a livepatch.
 * @detach: takes it off again. Both functions have returned for the last time
 *	when it returns; threads can still be inside handle_mm_fault.
 *
 * Context: process context, may sleep. Only one at a time is attached, and only
 * that one detaches.
 */
struct pf_trampoline {
	unsigned int version;
	unsigned int notes_size;
	int (*attach)(pf_trampoline_enter_fn enter,
		      pf_trampoline_leave_fn leave, unsigned long *generation);
	void (*detach)(void);
};
extern const struct pf_trampoline pf_trampoline;

#endif /* __ASSEMBLER__ */

#endif /* PF_TRAMPOLINE_H */
