/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares our count with the kernel's own event PGFAULT: they differ if the
 * probe does not see all calls, for instance because ftrace was switched off.
 */
#ifndef PF_DRIFT_H
#define PF_DRIFT_H

#include <linux/types.h>

#include "probe.h"
#include "tally.h"

#if PF_HAVE_PROBE
void pf_drift_begin(unsigned int maxactive);
s64 pf_drift_read(const struct pf_sums *global, s64 *pgfault);
#else
static inline s64 pf_drift_read(const struct pf_sums *global, s64 *pgfault)
{
	*pgfault = 0;
	return 0;
}
#endif

#endif /* PF_DRIFT_H */
