/* SPDX-License-Identifier: GPL-2.0-only */
/* The worker that frees the entries of exited processes. */
#ifndef PF_RECLAIM_H
#define PF_RECLAIM_H

int pf_reclaim_init(void);
void pf_reclaim_start(void);
void pf_reclaim_exit(void);
void pf_reclaim_kick(void);

#endif /* PF_RECLAIM_H */
