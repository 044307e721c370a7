// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds handle_mm_fault as a livepatch does: it may change where a call goes, and
 * so does not share the function with a direct call. It changes nothing.
 */
#include <linux/ftrace.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/module.h>

static void notrace holder_call(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops,
				struct ftrace_regs *regs)
{
}

static struct ftrace_ops holder_ops = {
	.func = holder_call,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY,
};

static int __init holder_init(void)
{
	int err = ftrace_set_filter_ip(&holder_ops,
				       (unsigned long)handle_mm_fault, 0, 0) ?:
		  register_ftrace_function(&holder_ops);

	if (err)
		ftrace_free_filter(&holder_ops);
	return err;
}

static void __exit holder_exit(void)
{
	unregister_ftrace_function(&holder_ops);
	ftrace_free_filter(&holder_ops);
}

module_init(holder_init);
module_exit(holder_exit);
MODULE_DESCRIPTION("Holds handle_mm_fault as a livepatch does");
MODULE_LICENSE("GPL");
