/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own count of a thread group's faults: minflt and majflt of
 * /proc/PID/stat. Every live row is compared with it.
 */
#ifndef PF_ACCOUNT_H
#define PF_ACCOUNT_H

#include <linux/types.h>

#include "tally.h"

/**
 * struct pf_account - faults of a thread group since it started
 * @n: by enum pf_severity
 */
struct pf_account {
	u64 n[PF_SEVERITIES];
};

unsigned int pf_account_differing_rows(void);

#endif /* PF_ACCOUNT_H */
