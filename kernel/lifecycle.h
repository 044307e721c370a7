/* SPDX-License-Identifier: GPL-2.0-only */
/* Tells the table when a thread group is gone. */
#ifndef PF_LIFECYCLE_H
#define PF_LIFECYCLE_H

int pf_lifecycle_init(void);
void pf_lifecycle_exit(void);

#endif /* PF_LIFECYCLE_H */
