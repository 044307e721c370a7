// SPDX-License-Identifier: GPL-2.0-only
/* Computes the published sums from the cells; see tally.h. */
#include "tally.h"

#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/string.h>

#include "include/page_faults.h"

const char * const pf_sum_names[PF_SUMS] = {
	[PF_SUM_FAULTS]	  = PF_COL_FAULTS,
	[PF_SUM_MINOR]	  = PF_COL_MINOR,
	[PF_SUM_MAJOR]	  = PF_COL_MAJOR,
	[PF_SUM_READ]	  = PF_COL_READ,
	[PF_SUM_WRITE]	  = PF_COL_WRITE,
	[PF_SUM_EXEC]	  = PF_COL_EXEC,
	[PF_SUM_USER]	  = PF_COL_USER,
	[PF_SUM_KERNEL]	  = PF_COL_KERNEL,
	[PF_SUM_REMOTE]	  = PF_COL_REMOTE,
	[PF_SUM_ANON]	  = PF_COL_ANON,
	[PF_SUM_FILE]	  = PF_COL_FILE,
	[PF_SUM_SHMEM]	  = PF_COL_SHMEM,
	[PF_SUM_HUGETLB]  = PF_COL_HUGETLB,
	[PF_SUM_RETRIED]  = PF_COL_RETRIED,
	[PF_SUM_SIGBUS]	  = PF_COL_SIGBUS,
	[PF_SUM_SIGSEGV]  = PF_COL_SIGSEGV,
	[PF_SUM_OOM]	  = PF_COL_OOM,
	[PF_SUM_HWPOISON] = PF_COL_HWPOISON,
	[PF_SUM_STALL_NS] = PF_COL_STALL_NS,
	[PF_SUM_SLOW_1MS] = PF_COL_SLOW_1MS,
	[PF_SUM_SLOW_10MS]  = PF_COL_SLOW_10MS,
	[PF_SUM_SLOW_100MS] = PF_COL_SLOW_100MS,
	[PF_SUM_SLOW_1S]  = PF_COL_SLOW_1S,
};

/**
 * pf_tally_alloc_cpus() - allocate a tally for each possible CPU
 * @gfp: how hard to try
 *
 * No two share a cache line.
 *
 * Context: process context, may sleep.
 * Return: the tallies, all 0, for free_percpu(); or NULL.
 */
struct pf_tally __percpu *pf_tally_alloc_cpus(gfp_t gfp)
{
	return __alloc_percpu_gfp(sizeof(struct pf_tally), SMP_CACHE_BYTES,
				  gfp | __GFP_NOWARN);
}

/**
 * pf_tally_merge() - add one tally to another
 * @to: the sum; others may add to it meanwhile
 * @from: what is added; if others add to it meanwhile, each counter is read once
 *
 * Context: any.
 */
void pf_tally_merge(struct pf_tally *to, const struct pf_tally *from)
{
	unsigned int i;

	for (i = 0; i < PF_COUNTERS; i++) {
		s64 n = atomic64_read(&from->n[i]);

		if (n)
			atomic64_add(n, &to->n[i]);
	}
}

/**
 * pf_tally_gather() - add the tallies of all CPUs to one
 * @to: the sum
 * @from: the tallies, or NULL; others may add to them meanwhile
 *
 * Context: any.
 */
void pf_tally_gather(struct pf_tally *to, struct pf_tally __percpu *from)
{
	unsigned int cpu;

	if (!from)
		return;
	for_each_possible_cpu(cpu)
		pf_tally_merge(to, per_cpu_ptr(from, cpu));
}

/**
 * pf_tally_clear() - set every counter to 0
 * @tally: nobody may add to it meanwhile
 *
 * Context: any.
 */
void pf_tally_clear(struct pf_tally *tally)
{
	unsigned int i;

	for (i = 0; i < PF_COUNTERS; i++)
		atomic64_set(&tally->n[i], 0);
}

/* Adds a cell's count to every sum that the cell is part of. */
static void pf_tally_spread(struct pf_sums *sums, unsigned int severity,
			    unsigned int access, unsigned int context,
			    unsigned int kind, u64 n)
{
	sums->v[PF_SUM_MINOR + severity] += n;
	sums->v[PF_SUM_READ + access] += n;
	sums->v[PF_SUM_USER + context] += n;
	sums->v[PF_SUM_ANON + kind] += n;
	sums->breakdown[(severity * PF_ACCESSES + access) * PF_KINDS + kind] +=
		n;
}

/**
 * pf_tally_sum() - compute the published sums of a tally
 * @tally: others may add to it meanwhile; each cell is read once, so that the
 *	sums still agree with each other
 * @sums: overwritten
 *
 * Context: any.
 */
void pf_tally_sum(const struct pf_tally *tally, struct pf_sums *sums)
{
	const atomic64_t *cell = &tally->n[PF_COUNTER_CELLS];
	unsigned int s, a, c, k, i;
	u64 slower = 0;

	memset(sums, 0, sizeof(*sums));
	for (s = 0; s < PF_SEVERITIES; s++)
		for (c = 0; c < PF_CONTEXTS; c++)
			for (a = 0; a < PF_ACCESSES; a++)
				for (k = 0; k < PF_KINDS; k++) {
					u64 n = atomic64_read(cell++);

					if (n)
						pf_tally_spread(sums, s, a, c,
								k, n);
				}
	sums->v[PF_SUM_FAULTS] = sums->v[PF_SUM_MINOR] + sums->v[PF_SUM_MAJOR];
	for (i = PF_COUNTER_RETRIED; i <= PF_COUNTER_HWPOISON; i++)
		sums->v[PF_SUM_RETRIED + i - PF_COUNTER_RETRIED] =
			atomic64_read(&tally->n[i]);
	sums->v[PF_SUM_STALL_NS] =
		atomic64_read(&tally->n[PF_COUNTER_STALL_NS]);
	for (i = PF_COUNTER_SLOW_1S; i >= PF_COUNTER_SLOW_1MS; i--) {
		slower += atomic64_read(&tally->n[i]);
		sums->v[PF_SUM_SLOW_1MS + i - PF_COUNTER_SLOW_1MS] = slower;
	}
}
