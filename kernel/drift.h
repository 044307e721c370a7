/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares our count with the kernel's own event PGFAULT: they differ if the
 * probe does not see all calls, for instance because ftrace was switched off.
 */
#ifndef PF_DRIFT_H
#define PF_DRIFT_H

#include <linux/types.h>

#include "tally.h"

void pf_drift_begin(unsigned int calls);
s64 pf_drift_read(const struct pf_sums *global, s64 *pgfault);

#endif /* PF_DRIFT_H */
