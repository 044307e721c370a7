/* SPDX-License-Identifier: GPL-2.0-only */
/* The hook on handle_mm_fault by a direct call. */
#ifndef PF_DIRECT_H
#define PF_DIRECT_H

#include <linux/errno.h>

#include "clock.h"

/* Kbuild defines it. */
#ifdef PF_HAVE_DIRECT
int pf_direct_init(enum pf_clock clock, const char **why);
void pf_direct_exit(void);
#else
static inline int pf_direct_init(enum pf_clock clock, const char **why)
{
	*why = "this kernel has no direct calls";
	return -EOPNOTSUPP;
}
static inline void pf_direct_exit(void)
{
}
#endif

#endif /* PF_DIRECT_H */
