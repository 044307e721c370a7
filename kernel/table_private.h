/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the table's own files share: table.c (entries come and are found),
 * reclaim.c (they go) and account.c (the kernel's count of them).
 */
#ifndef PF_TABLE_PRIVATE_H
#define PF_TABLE_PRIVATE_H

#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "racy.h"
#include "table.h"

/*
 * More than there are processes at once of which pf_lost tells: one whose thread
 * was preempted between signal->live and the hook, and overtaken by the last.
 */
#define PF_LOST_MAX	64

/**
 * struct pf_lost - a process that died without an entry, and one of whose last
 *	threads had not come to the exit hook
 * @pid: no reference, only to be compared
 * @start_ns: its start
 */
struct pf_lost {
	const struct pid *pid;
	u64 start_ns;
};

/**
 * struct pf_table - the table
 * @entries: all there are
 * @capacity: how many
 * @reserve: below so many free ones, exited ones go
 * @totals: entries are filled from the kernel's counts
 * @loaded_ns: a process that starts from then on, boot time, is counted from
 *	its first fault on; U64_MAX until pf_table_begin() (lock)
 * @lock: see table.h
 * @free: (lock)
 * @exited: oldest first, but those the worker has set aside (lock)
 * @nr_free: (lock; also read without it, as a hint)
 * @nr_live: (lock)
 * @nr_exited: on the exited list (as @nr_free)
 * @overflowed: whether a process ever found no room (lock)
 * @lost: with totals, the last ones of these (lock)
 * @next_lost: which is overwritten next (lock)
 * @retired_rows: (lock)
 * @used: a bit an entry that is not free (lock; also read without it)
 * @retired: added to without the lock
 * @overflow: added to without the lock
 *
 * What has no lock is constant after pf_table_init().
 */
struct pf_table {
	struct pf_entry *entries;
	unsigned int capacity;
	unsigned int reserve;
	bool totals;
	u64 loaded_ns;

	raw_spinlock_t lock;
	struct list_head free;
	struct list_head exited;
	unsigned int nr_free;
	unsigned int nr_live;
	unsigned int nr_exited;
	bool overflowed;
	struct pf_lost lost[PF_LOST_MAX];
	unsigned int next_lost;
	u64 retired_rows;
	unsigned long *used;

	struct pf_tally retired;
	struct pf_tally overflow;
};
extern struct pf_table pf_table;

/* Makes a live entry an exited one. Lock held. */
static inline void pf_table_mark_exited(struct pf_entry *entry)
{
	entry->state = PF_ENTRY_EXITED;
	entry->exit_ns = ktime_get_boottime_ns();
	list_add_tail(&entry->list, &pf_table.exited);
	pf_table.nr_live--;
	WRITE_ONCE(pf_table.nr_exited, pf_table.nr_exited + 1);
}

void pf_account_set_base(struct pf_entry *entry);
void pf_account_refresh(struct pf_entry *entry);
void pf_account_peek(struct task_struct *task, struct pf_account *account);

#endif /* PF_TABLE_PRIVATE_H */
