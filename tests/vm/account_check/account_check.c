// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests how detail=totals uses its readings of the kernel's counts. Readers race,
 * so that readings can arrive in any order. The module loads if all cases are
 * right; otherwise the load fails with EINVAL, and the log has the wrong ones.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/printk.h>

#include "account.c"

/* What account.c needs from table.c. */
struct pf_table pf_table;
DEFINE_PER_CPU(struct pf_cpu_tally, pf_table_global);

int pf_table_next(unsigned int index)
{
	return -1;
}

/* The base, the readings in their order, and what must be counted in the end. */
struct account_case {
	const char *what;
	u64 base;
	u64 readings[3];
	u64 counted;
};

static u64 __init account_check_global(unsigned int severity)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(pf_table_global, cpu).n[severity * PF_SHAPES];
	return sum;
}

static int __init account_check_case(const struct account_case *c,
				     unsigned int severity)
{
	struct pf_entry entry = { };
	u64 before = account_check_global(severity);
	u64 counted, added;
	size_t i;

	entry.base.n[severity] = c->base;
	for (i = 0; i < ARRAY_SIZE(c->readings); i++) {
		struct pf_account kernel = { };

		kernel.n[severity] = c->readings[i];
		pf_account_rebase(&entry, &kernel);
	}
	counted = atomic64_read(&entry.tally.n[severity * PF_SHAPES]);
	added = account_check_global(severity) - before;
	if (counted == c->counted && added == c->counted)
		return 0;
	pr_err("%s, severity %u: %llu in the row and %llu in all, not %llu\n",
	       c->what, severity, counted, added, c->counted);
	return -EINVAL;
}

static int __init account_check_init(void)
{
	const struct account_case cases[] = {
		{ "young", 0, { 3, 7, 9 }, 9 },
		{ "young, a late reading", 0, { 3, 9, 7 }, 9 },
		{ "old", U64_MAX, { 100, 103, 105 }, 5 },
		{ "old, a late reading", U64_MAX, { 100, 105, 103 }, 5 },
		{ "old, one before the first", U64_MAX, { 105, 100, 105 }, 0 },
		{ "old, two before the first", U64_MAX, { 105, 100, 104 }, 0 },
		{ "old, one before the first, and on", U64_MAX,
		  { 105, 100, 109 }, 4 },
	};
	unsigned int severity;
	int err = 0;
	size_t i;

	for (severity = 0; severity < PF_SEVERITIES; severity++)
		for (i = 0; i < ARRAY_SIZE(cases); i++)
			err = account_check_case(&cases[i], severity) ?: err;
	return err;
}

static void __exit account_check_exit(void)
{
}

module_init(account_check_init);
module_exit(account_check_exit);
MODULE_DESCRIPTION("Test of page_faults' readings of the kernel's counts");
MODULE_LICENSE("GPL");
