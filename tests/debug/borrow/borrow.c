// SPDX-License-Identifier: GPL-2.0-only
/*
 * borrow: a kernel thread uses the memory of a process, as the threads of vhost
 * do, and writes 42 to each page of a range. It is done when the load returns.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

static int pid;
module_param(pid, int, 0444);
MODULE_PARM_DESC(pid, "whose memory");

static unsigned long address;
module_param(address, ulong, 0444);
MODULE_PARM_DESC(address, "where it begins");

static unsigned int pages;
module_param(pages, uint, 0444);
MODULE_PARM_DESC(pages, "how much of it");

struct borrow {
	struct mm_struct *mm;
	struct completion done;
	int err;
};

static int borrow_write(void *data)
{
	struct borrow *borrow = data;
	unsigned int i;

	kthread_use_mm(borrow->mm);
	for (i = 0; i < pages && !borrow->err; i++) {
		char __user *page = (char __user *)address + i * PAGE_SIZE;

		borrow->err = put_user((char)42, page);
	}
	kthread_unuse_mm(borrow->mm);
	kthread_complete_and_exit(&borrow->done, 0);
}

static struct mm_struct *borrow_mm(void)
{
	struct task_struct *task = get_pid_task(find_vpid(pid), PIDTYPE_PID);
	struct mm_struct *mm;

	if (!task)
		return NULL;
	mm = get_task_mm(task);
	put_task_struct(task);
	return mm;
}

static int __init borrow_init(void)
{
	struct borrow borrow = { .mm = borrow_mm() };
	struct task_struct *thread;

	if (!borrow.mm)
		return -ESRCH;
	init_completion(&borrow.done);
	thread = kthread_run(borrow_write, &borrow, "borrow");
	if (IS_ERR(thread))
		borrow.err = PTR_ERR(thread);
	else
		wait_for_completion(&borrow.done);
	mmput(borrow.mm);
	return borrow.err;
}

static void __exit borrow_exit(void)
{
}

module_init(borrow_init);
module_exit(borrow_exit);
MODULE_DESCRIPTION("Writes to a process's memory from a kernel thread");
MODULE_LICENSE("GPL");
