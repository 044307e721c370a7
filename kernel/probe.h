/* SPDX-License-Identifier: GPL-2.0-only */
/* The return probe on handle_mm_fault. */
#ifndef PF_PROBE_H
#define PF_PROBE_H

#include <linux/types.h>

#include "include/page_faults.h"

int pf_probe_init(bool latency, unsigned int maxactive);
void pf_probe_exit(void);
const char *pf_probe_clock_name(void);
u64 pf_probe_missed(void);

#endif /* PF_PROBE_H */
