// SPDX-License-Identifier: GPL-2.0-only
/* The histogram of how long faults take; see latency.h. */
#include "latency.h"

#include <linux/kernel.h>
#include <linux/string.h>

DEFINE_PER_CPU(struct pf_histogram [PF_SEVERITIES], pf_latency_histogram);

/**
 * pf_latency_read() - sum the histograms of all CPUs
 * @severity: minor or major faults
 * @histogram: overwritten with the sum
 *
 * Context: process context; not exact while faults are under way.
 */
void pf_latency_read(enum pf_severity severity, struct pf_histogram *histogram)
{
	unsigned int i;
	int cpu;

	memset(histogram, 0, sizeof(*histogram));
	for_each_possible_cpu(cpu) {
		struct pf_histogram *from =
			&per_cpu(pf_latency_histogram, cpu)[severity];

		for (i = 0; i < ARRAY_SIZE(from->bucket); i++)
			histogram->bucket[i] += READ_ONCE(from->bucket[i]);
		histogram->sum += READ_ONCE(from->sum);
	}
}
