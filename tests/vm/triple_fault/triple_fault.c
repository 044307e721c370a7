// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets the CPU by a triple fault: an exception without a table of handlers. The
 * part `harness` sees whether a guest that ends so is told from others.
 */
#include <linux/module.h>

#include <asm/desc.h>

static int __init pf_triple_fault(void)
{
	static const struct desc_ptr none;

	native_load_idt(&none);
	asm volatile("ud2");
	return 0;
}
module_init(pf_triple_fault);

MODULE_DESCRIPTION("Triple fault on purpose");
MODULE_LICENSE("GPL");
