// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens a file of the module page_faults at a moment that is a few instructions
 * long and that an open(2) therefore meets rarely: the module has given up its
 * last reference, but its state does not yet say that it goes
 * (try_stop_module() in kernel/module/main.c). The open must fail with ENXIO and
 * without a warning; otherwise this module does not load.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/string.h>

/* The list's head, which is no module, has other data where the name would be. */
static struct module *__init unload_window_find(const char *name)
{
	struct module *module;

	list_for_each_entry(module, &THIS_MODULE->list, list)
		if (!strncmp(module->name, name, MODULE_NAME_LEN))
			return module;
	return NULL;
}

static int __init unload_window_open(const char *path)
{
	struct file *file = filp_open(path, O_RDONLY, 0);

	if (IS_ERR(file) && PTR_ERR(file) == -ENXIO)
		return 0;
	pr_err("%s: %ld\n", path, IS_ERR(file) ? PTR_ERR(file) : 0);
	if (!IS_ERR(file))
		filp_close(file, NULL);
	return -EINVAL;
}

static int __init unload_window_init(void)
{
	struct module *module = unload_window_find("page_faults");
	int err;

	if (!module)
		return -ENOENT;
	atomic_dec(&module->refcnt);
	err = unload_window_open("/sys/kernel/debug/page_faults/processes") ?:
	      unload_window_open("/sys/kernel/debug/page_faults/stats") ?:
	      unload_window_open("/sys/kernel/debug/page_faults/latency");
	atomic_inc(&module->refcnt);
	return err;
}

static void __exit unload_window_exit(void)
{
}

module_init(unload_window_init);
module_exit(unload_window_exit);
MODULE_DESCRIPTION("Opens the files of page_faults while it is about to go");
MODULE_LICENSE("GPL");
