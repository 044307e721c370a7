// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens the files of the module page_faults at a moment that is a few
 * instructions long and that an open(2) therefore meets rarely: the module has
 * given up its last reference, but its state does not yet say that it goes
 * (try_stop_module() in kernel/module/main.c). An open must fail with ENXIO and
 * without a warning, and leave no pointer into the module behind; otherwise this
 * module does not load.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/path.h>
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

/*
 * As do_dentry_open() (fs/open.c) does it. That reads f_op after a failed open,
 * when nothing keeps the module.
 */
static int __init unload_window_open(const char *name)
{
	struct path path;
	int err = kern_path(name, 0, &path);

	if (err)
		return err;
	{
		struct inode *inode = d_inode(path.dentry);
		struct file file = {
			.f_path = path,
			.f_inode = inode,
			.f_mode = FMODE_READ,
			.f_op = inode->i_fop,
		};

		err = file.f_op->open(inode, &file);
		if (err == -ENXIO && file.f_op == inode->i_fop)
			err = 0;
		else
			pr_err("%s: %d, %ps\n", name, err, file.f_op);
	}
	path_put(&path);
	return err ? -EINVAL : 0;
}

static int __init unload_window_init(void)
{
	struct module *module = unload_window_find("page_faults");
	int err;

	if (!module)
		return -ENOENT;
	if (atomic_cmpxchg(&module->refcnt, 1, 0) != 1)
		return -EBUSY;
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
