/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters of faults: how a call of handle_mm_fault is classified, and
 * which sums are published.
 *
 * A completed fault adds one to a single cell, which is indexed by severity x
 * context x access x kind. The published sums are computed from the cells when
 * they are read. So the sums of a row always agree with each other, and a fault
 * costs one locked increment, however many sums are published.
 */
#ifndef PF_TALLY_H
#define PF_TALLY_H

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/time64.h>
#include <linux/types.h>

enum pf_severity {
	PF_SEVERITY_MINOR,
	PF_SEVERITY_MAJOR,
	PF_SEVERITIES,
};
enum pf_access {
	PF_ACCESS_READ,
	PF_ACCESS_WRITE,
	PF_ACCESS_EXEC,
	PF_ACCESSES,
};
enum pf_context {
	PF_CONTEXT_USER,
	PF_CONTEXT_KERNEL,
	PF_CONTEXT_REMOTE,
	PF_CONTEXTS,
};
enum pf_kind {
	PF_KIND_ANON,
	PF_KIND_FILE,
	PF_KIND_SHMEM,
	PF_KIND_HUGETLB,
	PF_KINDS,
};

/* The number of cells of one severity, and of both. */
#define PF_SHAPES	(PF_ACCESSES * PF_CONTEXTS * PF_KINDS)
#define PF_CELLS	(PF_SEVERITIES * PF_SHAPES)
/* The number of cells of the breakdown, which has no context. */
#define PF_BREAKDOWN_CELLS (PF_SEVERITIES * PF_ACCESSES * PF_KINDS)

/*
 * The counters of a tally. Nearly every fault adds to stall_ns and to the cell
 * of a minor read or write by user code. These come first: all but the cell of
 * writes to hugetlb are on one cache line.
 */
enum pf_counter {
	PF_COUNTER_STALL_NS,
	PF_COUNTER_CELLS,	/* the first cell; see pf_tally_shape() */
	PF_COUNTER_RETRIED = PF_COUNTER_CELLS + PF_CELLS,
	PF_COUNTER_SIGBUS,
	PF_COUNTER_SIGSEGV,
	PF_COUNTER_OOM,
	PF_COUNTER_HWPOISON,
	PF_COUNTER_SLOW_1MS,	/* faults of over 1 and up to 10 ms */
	PF_COUNTER_SLOW_10MS,	/* over 10 and up to 100 ms */
	PF_COUNTER_SLOW_100MS,	/* over 100 ms and up to 1 s */
	PF_COUNTER_SLOW_1S,	/* over 1 s */
	PF_COUNTERS,
};

/**
 * struct pf_tally - a set of counters that any CPU may add to
 * @n: by enum pf_counter
 */
struct pf_tally {
	atomic64_t n[PF_COUNTERS];
};

/* The published sums, in the order of the contract's columns. */
enum pf_sum {
	PF_SUM_FAULTS,
	PF_SUM_MINOR,		/* by severity */
	PF_SUM_MAJOR,
	PF_SUM_READ,		/* by access */
	PF_SUM_WRITE,
	PF_SUM_EXEC,
	PF_SUM_USER,		/* by context */
	PF_SUM_KERNEL,
	PF_SUM_REMOTE,
	PF_SUM_ANON,		/* by kind */
	PF_SUM_FILE,
	PF_SUM_SHMEM,
	PF_SUM_HUGETLB,
	PF_SUM_RETRIED,		/* as enum pf_counter to PF_SUM_HWPOISON */
	PF_SUM_SIGBUS,
	PF_SUM_SIGSEGV,
	PF_SUM_OOM,
	PF_SUM_HWPOISON,
	PF_SUM_STALL_NS,
	PF_SUM_SLOW_1MS,	/* cumulative: each with those behind it */
	PF_SUM_SLOW_10MS,
	PF_SUM_SLOW_100MS,
	PF_SUM_SLOW_1S,
	PF_SUMS,
};

/* The column names of the sums, indexed by enum pf_sum. */
extern const char * const pf_sum_names[PF_SUMS];

/**
 * struct pf_sums - the published sums of one tally
 * @v: indexed by enum pf_sum; numbers of faults or calls, ns for
 *	PF_SUM_STALL_NS
 * @breakdown: faults by (severity * PF_ACCESSES + access) * PF_KINDS + kind
 */
struct pf_sums {
	u64 v[PF_SUMS];
	u64 breakdown[PF_BREAKDOWN_CELLS];
};

/**
 * pf_tally_shape() - index of a minor fault's cell
 * @access: enum pf_access
 * @context: enum pf_context
 * @kind: enum pf_kind
 *
 * Return: the index in a tally. That of a major fault is PF_SHAPES more.
 */
static inline unsigned int pf_tally_shape(unsigned int access,
					  unsigned int context,
					  unsigned int kind)
{
	return PF_COUNTER_CELLS +
	       (context * PF_ACCESSES + access) * PF_KINDS + kind;
}

/* The parts of a shape. */
static inline enum pf_access pf_tally_access(unsigned int shape)
{
	return (shape - PF_COUNTER_CELLS) / PF_KINDS % PF_ACCESSES;
}

static inline enum pf_context pf_tally_context(unsigned int shape)
{
	return (shape - PF_COUNTER_CELLS) / (PF_KINDS * PF_ACCESSES);
}

static inline enum pf_kind pf_tally_kind(unsigned int shape)
{
	return (shape - PF_COUNTER_CELLS) % PF_KINDS;
}

/* A fault that takes longer than this is slow. */
#define PF_SLOW_NS	NSEC_PER_MSEC

/**
 * pf_tally_slow_counter() - the counter of a slow fault
 * @ns: how long it took, more than PF_SLOW_NS
 *
 * Return: PF_COUNTER_SLOW_*.
 */
static inline enum pf_counter pf_tally_slow_counter(u64 ns)
{
	if (ns <= 10 * PF_SLOW_NS)
		return PF_COUNTER_SLOW_1MS;
	if (ns <= 100 * PF_SLOW_NS)
		return PF_COUNTER_SLOW_10MS;
	if (ns <= 1000 * PF_SLOW_NS)
		return PF_COUNTER_SLOW_100MS;
	return PF_COUNTER_SLOW_1S;
}

struct pf_tally __percpu *pf_tally_alloc_cpus(gfp_t gfp);
void pf_tally_merge(struct pf_tally *to, const struct pf_tally *from);
void pf_tally_gather(struct pf_tally *to, struct pf_tally __percpu *from);
void pf_tally_clear(struct pf_tally *tally);
void pf_tally_sum(const struct pf_tally *tally, struct pf_sums *sums);

#endif /* PF_TALLY_H */
