/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of page_faults_trampoline share. */
#ifndef PF_TRAMPOLINE_BODY_H
#define PF_TRAMPOLINE_BODY_H

/*
 * Where handle_mm_fault calls its tracers: first, or after the instruction
 * ENDBR in a kernel that has one in each function. The call has five bytes, and
 * the body begins after it.
 */
#ifdef CONFIG_X86_KERNEL_IBT
#define PF_TRAMPOLINE_CALL	4
#else
#define PF_TRAMPOLINE_CALL	0
#endif
#define PF_TRAMPOLINE_BODY	(PF_TRAMPOLINE_CALL + 5)

#ifndef __ASSEMBLER__

#include <linux/mm_types.h>

/**
 * pf_trampoline_code() - the trampoline; handle_mm_fault alone calls it
 *
 * Context: that of handle_mm_fault.
 */
void pf_trampoline_code(void);
void pf_trampoline_enter(const struct vm_area_struct *vma,
			 unsigned long address, unsigned int flags,
			 void *notes);
void pf_trampoline_leave(const void *notes, vm_fault_t ret);

#endif /* __ASSEMBLER__ */

#endif /* PF_TRAMPOLINE_BODY_H */
