/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counting without sharing: a process whose threads fault on several CPUs at
 * the same time gets a tally for each CPU, a block.
 *
 * A handler notes in pf_table_last which entry it counts into. The worker of
 * reclaim.c looks at this note of every CPU: ten times a second if there were
 * faults at its last look, otherwise once a second. An entry that it finds on two
 * CPUs, of a process with several threads, gets a block from a bounded pool. So it
 * finds an entry after 0.1 to 1 s, later if other processes fault on these CPUs in
 * between, and never if the process ends before. What an entry has counted is the sum
 * of its own tally and of its block. A block is allocated when no other is free,
 * and kept until the unload: most hosts need few, but some kernels consider
 * hundreds of CPUs possible.
 *
 * The worker takes the block back when the process has exited, or when its
 * threads were not found on several CPUs for a minute; for a second while no
 * other block is left.
 *
 * The life of a block
 *   free       Its tallies are 0.
 *   used       entry->cpu_tally and entry->block are set. They are set under the
 *              table's lock, and only in a live entry.
 *   leaving    entry->cpu_tally is NULL, entry->block is not. Handlers that
 *              found the block before may still count into it, and readers
 *              still add it.
 *   clearing   After a grace period no handler counts into it any more. Under
 *              the table's lock its sum is added to entry->tally, and
 *              entry->block becomes NULL. Readers look at both under this lock,
 *              so that they find the counts in exactly one of the two places.
 *   free       After another grace period no reader adds it any more, and it is
 *              cleared.
 *
 * Only the worker moves a block from one state to the next, so that the lists
 * need no lock.
 */
#ifndef PF_BLOCKS_H
#define PF_BLOCKS_H

#include <linux/list.h>
#include <linux/percpu.h>

#include "table.h"

#define PF_BLOCKS_MAX	4096

/**
 * struct pf_block - a tally for each possible CPU
 * @list: on the list of blocks in its state (the worker)
 * @tally: the tallies; constant
 * @entry: the entry that has the block, while used or leaving (the worker)
 * @seen: when several CPUs last counted into the entry, in jiffies (the worker)
 */
struct pf_block {
	struct list_head list;
	struct pf_tally __percpu *tally;
	struct pf_entry *entry;
	unsigned long seen;
};

int pf_blocks_init(unsigned int blocks);
void pf_blocks_exit(void);
void pf_blocks_assign(void);
bool pf_blocks_leave(void);
void pf_blocks_settle(void);
void pf_blocks_merge(struct pf_entry *entry);
unsigned long pf_blocks_pause(void);
unsigned int pf_blocks_total(void);
unsigned int pf_blocks_used(void);

#endif /* PF_BLOCKS_H */
