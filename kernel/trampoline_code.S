/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What handle_mm_fault calls as its first instruction, while the trampoline is
 * attached. It calls the body of the function itself, so that it sees the
 * result:
 *
 *	pf_trampoline_enter(vma, address, flags, notes)
 *	result = body of handle_mm_fault(vma, address, flags, regs)
 *	pf_trampoline_leave(notes, result)
 *	return result to the caller of handle_mm_fault
 *
 * The stack at the entry: the address of the body, to which an ordinary tracer
 * would return; then the address to which handle_mm_fault returns. To the
 * unwinder a thread in the body is in handle_mm_fault, called by this, called by
 * handle_mm_fault.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/unwind_hints.h>

#include "trampoline.h"
#include "trampoline_body.h"

/* The frame: the notes, then the four arguments, the first of which makes room for the result. */
#define NOTES		0
#define ARGUMENTS	PF_TRAMPOLINE_NOTES
#define RESULT		ARGUMENTS
#define FRAME		(ARGUMENTS + 4 * 8)

	.text
SYM_FUNC_START(pf_trampoline_code)
	ENDBR
	pushq	%rbp
	movq	%rsp, %rbp
	subq	$FRAME, %rsp
	movq	%rdi, ARGUMENTS(%rsp)
	movq	%rsi, ARGUMENTS+8(%rsp)
	movq	%rdx, ARGUMENTS+16(%rsp)
	movq	%rcx, ARGUMENTS+24(%rsp)
	movq	$0, NOTES(%rsp)
	leaq	NOTES(%rsp), %rcx
	call	pf_trampoline_enter
	movq	ARGUMENTS(%rsp), %rdi
	movq	ARGUMENTS+8(%rsp), %rsi
	movq	ARGUMENTS+16(%rsp), %rdx
	movq	ARGUMENTS+24(%rsp), %rcx
	call	handle_mm_fault + PF_TRAMPOLINE_BODY
	movl	%eax, RESULT(%rsp)
	leaq	NOTES(%rsp), %rdi
	movl	%eax, %esi
	call	pf_trampoline_leave
	movl	RESULT(%rsp), %eax
	leave
	/* Drop the address of the body: it has run. */
	addq	$8, %rsp
	UNWIND_HINT_FUNC
	RET
SYM_FUNC_END(pf_trampoline_code)

	/*
	 * A return probe would replace the address on top of the stack. Here that is
	 * the address of the body, to which the trampoline does not return.
	 */
	_ASM_NOKPROBE(pf_trampoline_code)
