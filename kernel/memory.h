/* SPDX-License-Identifier: GPL-2.0-only */
/* Virtual and resident memory of a process, taken when it is read. */
#ifndef PF_MEMORY_H
#define PF_MEMORY_H

#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/types.h>

/**
 * struct pf_memory - a process's memory at one moment, in pages
 * @vma: sum of its VMAs' sizes (mm->total_vm, VmSize)
 * @anon: resident anonymous pages
 * @file: resident file pages
 * @shmem: resident shared-memory pages
 * @swap: pages in swap
 * @hugetlb: memory in huge pages of hugetlb, which are in none of the others
 */
struct pf_memory {
	u64 vma;
	u64 anon;
	u64 file;
	u64 shmem;
	u64 swap;
	u64 hugetlb;
};

bool pf_memory_read(struct pid *pid, struct pf_memory *memory, char *comm);

#endif /* PF_MEMORY_H */
