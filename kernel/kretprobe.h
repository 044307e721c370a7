/* SPDX-License-Identifier: GPL-2.0-only */
/* The hook on handle_mm_fault by a return probe. */
#ifndef PF_KRETPROBE_H
#define PF_KRETPROBE_H

#include <linux/errno.h>
#include <linux/types.h>

#include "clock.h"

#ifdef CONFIG_KRETPROBES
int pf_kretprobe_init(enum pf_clock clock, unsigned int maxactive);
void pf_kretprobe_exit(void);
u64 pf_kretprobe_missed(void);
#else
static inline int pf_kretprobe_init(enum pf_clock clock,
				    unsigned int maxactive)
{
	return -EOPNOTSUPP;
}
static inline void pf_kretprobe_exit(void)
{
}
static inline u64 pf_kretprobe_missed(void)
{
	return 0;
}
#endif

#endif /* PF_KRETPROBE_H */
