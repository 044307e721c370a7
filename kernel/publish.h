/* SPDX-License-Identifier: GPL-2.0-only */
/* The files in debugfs. */
#ifndef PF_PUBLISH_H
#define PF_PUBLISH_H

#include <linux/types.h>

/*
 * How many sums are published: that many from the start of enum pf_sum.
 * Constant after pf_publish_init().
 */
extern unsigned int pf_publish_counters;

int pf_publish_init(bool latency);
void pf_publish_exit(void);

#endif /* PF_PUBLISH_H */
