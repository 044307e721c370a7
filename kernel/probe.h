/* SPDX-License-Identifier: GPL-2.0-only */
/* The return probe on handle_mm_fault. */
#ifndef PF_PROBE_H
#define PF_PROBE_H

#include <linux/errno.h>
#include <linux/types.h>

#include "include/page_faults.h"

/* Without return probes there is detail=totals only. */
#ifdef CONFIG_KRETPROBES
#define PF_HAVE_PROBE		1
#define PF_DETAIL_DEFAULT	PF_DETAIL_FULL
#else
#define PF_HAVE_PROBE		0
#define PF_DETAIL_DEFAULT	PF_DETAIL_TOTALS
#endif

#if PF_HAVE_PROBE
int pf_probe_init(bool latency, unsigned int maxactive);
void pf_probe_exit(void);
const char *pf_probe_clock_name(void);
u64 pf_probe_missed(void);
#else
static inline int pf_probe_init(bool latency, unsigned int maxactive)
{
	return -EOPNOTSUPP;
}
static inline void pf_probe_exit(void)
{
}
static inline const char *pf_probe_clock_name(void)
{
	return NULL;
}
static inline u64 pf_probe_missed(void)
{
	return 0;
}
#endif

#endif /* PF_PROBE_H */
