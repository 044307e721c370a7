// SPDX-License-Identifier: GPL-2.0-only
/*
 * A livepatch of the function behind /proc/cmdline. The kernel completes it only
 * when it has found a reliable way up the stack of every sleeping thread.
 */
#include <linux/init.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

static int patched_cmdline_show(struct seq_file *file, void *data)
{
	seq_puts(file, "patched\n");
	return 0;
}

static struct klp_func patched_functions[] = {
	{
		.old_name = "cmdline_proc_show",
		.new_func = patched_cmdline_show,
	},
	{ }
};

static struct klp_object patched_objects[] = {
	{ .funcs = patched_functions }, /* without a name: the kernel itself */
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = patched_objects,
};

static int __init patch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit patch_exit(void)
{
}

module_init(patch_init);
module_exit(patch_exit);
MODULE_DESCRIPTION("Patches /proc/cmdline");
MODULE_INFO(livepatch, "Y");
MODULE_LICENSE("GPL");
