// SPDX-License-Identifier: GPL-2.0-only
/*
 * bad: makes the mistakes that a module such as page_faults could make, one for
 * each load. A test kernel must report each of them, which shows that its checks
 * work. Do not load it into a kernel that is still needed.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

static char *mistake = "none";
module_param(mistake, charp, 0444);
MODULE_PARM_DESC(mistake,
		 "sleep, overrun, overrun_vmalloc, leak, early_free, double_free, lock_order, rcu, list, race or race_in_handler");

/* A handler that sleeps, though it runs with preemption disabled. */
static int bad_handler(struct kprobe *probe, struct pt_regs *regs)
{
	msleep(1);
	return 0;
}

static struct kprobe bad_probe = {
	.symbol_name = "handle_mm_fault",
	.pre_handler = bad_handler,
};

static int bad_sleep(void)
{
	int err = register_kprobe(&bad_probe);

	if (err)
		return err;
	msleep(500);
	unregister_kprobe(&bad_probe);
	return 0;
}

/* As if an index were one too large. */
static int bad_overrun(void)
{
	volatile char *entries = kmalloc(100, GFP_KERNEL);

	if (!entries)
		return -ENOMEM;
	entries[100] = 1;
	kfree((void *)entries);
	return 0;
}

static int bad_overrun_vmalloc(void)
{
	volatile char *entries = vmalloc(PAGE_SIZE - 8);

	if (!entries)
		return -ENOMEM;
	entries[PAGE_SIZE - 8] = 1;
	vfree((void *)entries);
	return 0;
}

/* Memory that unload does not free; kmemleak reports it when it scans. */
static int bad_leak(void)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		if (!kmalloc(1000 + i, GFP_KERNEL))
			return -ENOMEM;
	return 0;
}

/* As if an entry were freed without a grace period. */
static int bad_early_free(void)
{
	volatile int *entry = kmalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry)
		return -ENOMEM;
	kfree((void *)entry);
	*entry = 1;
	return 0;
}

static int bad_double_free(void)
{
	void *entry = kmalloc(64, GFP_KERNEL);
	void *volatile again = entry;

	kfree(entry);
	kfree(again);
	return 0;
}

static DEFINE_SPINLOCK(bad_lock_a);
static DEFINE_SPINLOCK(bad_lock_b);

static int bad_lock_order(void)
{
	spin_lock(&bad_lock_a);
	spin_lock(&bad_lock_b);
	spin_unlock(&bad_lock_b);
	spin_unlock(&bad_lock_a);
	spin_lock(&bad_lock_b);
	spin_lock(&bad_lock_a);
	spin_unlock(&bad_lock_a);
	spin_unlock(&bad_lock_b);
	return 0;
}

static int __rcu *bad_pointer;

/* An RCU pointer that is dereferenced outside of a read section. */
static int bad_rcu(void)
{
	return rcu_dereference(bad_pointer) ? -EEXIST : 0;
}

/* An entry that is on two lists. */
static int bad_list(void)
{
	static LIST_HEAD(one);
	static LIST_HEAD(two);
	static struct list_head entry;

	list_add(&entry, &one);
	list_add(&entry, &two);
	list_del(&entry);
	list_del(&entry);
	return 0;
}

static unsigned long bad_counter;

static int bad_racer(void *unused)
{
	while (!kthread_should_stop()) {
		unsigned int i;

		for (i = 0; i < 100000; i++)
			bad_counter++;
		cond_resched();
	}
	return 0;
}

/* Two threads that add to one counter, neither atomically nor under a lock. */
static int bad_race(void)
{
	struct task_struct *one = kthread_run(bad_racer, NULL, "bad/1");
	struct task_struct *two = kthread_run(bad_racer, NULL, "bad/2");

	msleep(10000);
	if (!IS_ERR(one))
		kthread_stop(one);
	if (!IS_ERR(two))
		kthread_stop(two);
	return 0;
}

/*
 * A handler that counts as if there were one CPU. It counts often, because KCSAN
 * watches only one access in a thousand.
 */
static int bad_race_in_handler_entry(struct kprobe *probe,
				     struct pt_regs *regs)
{
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		bad_counter++;
		barrier();	/* or the loop becomes one addition */
	}
	return 0;
}

static struct kprobe bad_race_probe = {
	.symbol_name = "handle_mm_fault",
	.pre_handler = bad_race_in_handler_entry,
};

static int bad_race_in_handler(void)
{
	int err = register_kprobe(&bad_race_probe);

	if (err)
		return err;
	msleep(15000);
	unregister_kprobe(&bad_race_probe);
	return 0;
}

static const struct {
	const char *name;
	int (*make)(void);
} bad_mistakes[] = {
	{ "sleep", bad_sleep },
	{ "overrun", bad_overrun },
	{ "overrun_vmalloc", bad_overrun_vmalloc },
	{ "leak", bad_leak },
	{ "early_free", bad_early_free },
	{ "double_free", bad_double_free },
	{ "lock_order", bad_lock_order },
	{ "rcu", bad_rcu },
	{ "list", bad_list },
	{ "race", bad_race },
	{ "race_in_handler", bad_race_in_handler },
};

static int __init bad_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_mistakes); i++)
		if (!strcmp(bad_mistakes[i].name, mistake))
			return bad_mistakes[i].make();
	return strcmp(mistake, "none") ? -EINVAL : 0;
}

static void __exit bad_exit(void)
{
}

module_init(bad_init);
module_exit(bad_exit);
MODULE_DESCRIPTION("Mistakes made on purpose, for kernels that look for them");
MODULE_LICENSE("GPL");
