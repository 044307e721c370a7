/* SPDX-License-Identifier: GPL-2.0-only */
/* The log2 histogram of how long faults take, by severity. */
#ifndef PF_LATENCY_H
#define PF_LATENCY_H

#include <linux/bitops.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include "tally.h"

/* The published bounds are 2^8 to 2^36 ns: 256 ns to 69 s. */
#define PF_LATENCY_FIRST	8
#define PF_LATENCY_LAST		36

/**
 * struct pf_histogram - times of faults, one severity
 * @bucket: bucket[k] counts times of more than 2^k and at most 2^(k+1) ns;
 *	bucket[0] also counts shorter ones. There is a bucket for every k that
 *	__fls() returns, so that counting does not clamp the index.
 * @sum: of all times, ns
 */
struct pf_histogram {
	u64 bucket[64];
	u64 sum;
};
DECLARE_PER_CPU(struct pf_histogram [PF_SEVERITIES], pf_latency_histogram);

void pf_latency_read(enum pf_severity severity, struct pf_histogram *histogram);

/**
 * pf_latency_count() - count a completed fault in this CPU's histogram
 * @severity: enum pf_severity
 * @ns: how long it took, 2 to S64_MAX
 *
 * Context: preemption disabled, as in a probe's handler.
 */
static __always_inline void pf_latency_count(unsigned int severity, u64 ns)
{
	this_cpu_inc(pf_latency_histogram[severity].bucket[__fls(ns - 1)]);
	this_cpu_add(pf_latency_histogram[severity].sum, ns);
}

#endif /* PF_LATENCY_H */
