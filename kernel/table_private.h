/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the table share: table.c makes and finds entries, reclaim.c
 * frees them, account.c compares them with the kernel's count.
 */
#ifndef PF_TABLE_PRIVATE_H
#define PF_TABLE_PRIVATE_H

#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "blocks.h"
#include "racy.h"
#include "table.h"

/**
 * struct pf_table_fixed - what is constant after pf_table_init()
 * @entries: an array of all entries
 * @capacity: their number
 * @reserve: exited entries are freed early when fewer than this many are free
 * @used: a bit for each entry that is not free (the bits: lock; also read
 *	without it)
 * @retired: by CPU, the counts of freed entries, of kernel threads and of dead
 *	groups; added to without the lock
 * @overflow: by CPU, the counts of processes that found the table full; added
 *	to without the lock
 *
 * Not in struct pf_table: every fault of a process without an entry reads these,
 * so they are on no cache line that others write.
 */
struct pf_table_fixed {
	struct pf_entry *entries;
	unsigned int capacity;
	unsigned int reserve;
	unsigned long *used;
	struct pf_tally __percpu *retired;
	struct pf_tally __percpu *overflow;
};
extern struct pf_table_fixed pf_table_fixed;

/**
 * struct pf_table - what changes
 * @loaded_ns: boot time from which on every fault is counted; U64_MAX until
 *	pf_table_begin() (lock)
 * @lock: see table.h
 * @free: the free list (lock)
 * @exited: the exited list, oldest first (lock)
 * @nr_free: entries on the free list (lock; also read without it, as a hint)
 * @nr_live: live entries (lock)
 * @nr_exited: entries on the exited list (lock; also read without it, as a
 *	hint)
 * @overflowed: whether a process ever found the table full (lock; also read
 *	without it)
 * @retired_rows: entries freed since load (lock)
 */
struct pf_table {
	u64 loaded_ns;

	raw_spinlock_t lock;
	struct list_head free;
	struct list_head exited;
	unsigned int nr_free;
	unsigned int nr_live;
	unsigned int nr_exited;
	bool overflowed;
	u64 retired_rows;
};
extern struct pf_table pf_table;

/*
 * Makes a live entry an exited one, which was last in this control group. Lock
 * held.
 */
static inline void pf_table_mark_exited(struct pf_entry *entry, u64 cgroup)
{
	entry->state = PF_ENTRY_EXITED;
	entry->cgroup = cgroup;
	entry->exit_ns = ktime_get_boottime_ns();
	list_add_tail(&entry->list, &pf_table.exited);
	pf_table.nr_live--;
	WRITE_ONCE(pf_table.nr_exited, pf_table.nr_exited + 1);
}

/*
 * Begins to copy what an entry has counted. The rest of it is in the block that
 * is returned, or NULL: the caller adds it by pf_tally_gather(), without the lock
 * because there can be many CPUs. Lock held; RCU held until it is added, so that
 * the block is not cleared before.
 */
static inline struct pf_tally __percpu *
pf_table_copy(const struct pf_entry *entry, struct pf_tally *counted)
{
	pf_tally_clear(counted);
	pf_tally_merge(counted, &entry->tally);
	return entry->block ? entry->block->tally : NULL;
}

void pf_account_set_base(struct pf_entry *entry);

#endif /* PF_TABLE_PRIVATE_H */
