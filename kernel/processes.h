/* SPDX-License-Identifier: GPL-2.0-only */
/* The file processes: a row for each entry of the table. */
#ifndef PF_PROCESSES_H
#define PF_PROCESSES_H

#include <linux/fs.h>

extern const struct file_operations pf_processes_fops;

#endif /* PF_PROCESSES_H */
