/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of a process at read time, its name and its control group. */
#ifndef PF_MEMORY_H
#define PF_MEMORY_H

#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/types.h>

/**
 * struct pf_memory - the memory of a process, in pages of PAGE_SIZE
 * @vma: sum of the sizes of its VMAs (mm->total_vm, VmSize)
 * @anon: resident anonymous pages
 * @file: resident file pages
 * @shmem: resident shared-memory pages
 * @swap: pages in swap
 * @hugetlb: resident huge pages of hugetlb; in none of the resident ones above
 */
struct pf_memory {
	u64 vma;
	u64 anon;
	u64 file;
	u64 shmem;
	u64 swap;
	u64 hugetlb;
};

bool pf_memory_read(struct pid *pid, struct pf_memory *memory, char *comm,
		    u64 *cgroup);

#endif /* PF_MEMORY_H */
