/* SPDX-License-Identifier: GPL-2.0-only */
/* The probe on handle_mm_fault, by one of two hooks. */
#ifndef PF_PROBE_H
#define PF_PROBE_H

#include <linux/types.h>

/**
 * enum pf_hook - the parameter hook
 * @PF_HOOK_AUTO: a direct call, or a return probe where that is not possible
 * @PF_HOOK_DIRECT: a direct call
 * @PF_HOOK_KRETPROBE: a return probe
 */
enum pf_hook { PF_HOOK_AUTO, PF_HOOK_DIRECT, PF_HOOK_KRETPROBE };

int pf_probe_init(bool latency, enum pf_hook hook, unsigned int maxactive);
void pf_probe_exit(void);
const char *pf_probe_clock_name(void);
const char *pf_probe_hook_name(void);
const char *pf_probe_hook_reason(void);
u64 pf_probe_missed(void);

#endif /* PF_PROBE_H */
