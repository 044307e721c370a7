/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own count of a thread group's faults: minflt and majflt of
 * /proc/PID/stat. With detail=totals it is the only source of counts. With
 * detail=full every row is compared with it.
 */
#ifndef PF_ACCOUNT_H
#define PF_ACCOUNT_H

#include <linux/sched.h>
#include <linux/types.h>

#include "tally.h"

/**
 * struct pf_account - faults of a thread group since it started
 * @n: by enum pf_severity
 */
struct pf_account {
	u64 n[PF_SEVERITIES];
};

void pf_account_read(struct task_struct *task, struct pf_account *account);
unsigned int pf_account_differing_rows(void);

#endif /* PF_ACCOUNT_H */
