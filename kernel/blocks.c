// SPDX-License-Identifier: GPL-2.0-only
/* Gives entries a tally for each CPU, and takes it back; see blocks.h. */
#include "blocks.h"

#include <linux/align.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#include "table_private.h"

/* The time between two looks; idle: while there are no faults. */
#define PF_BLOCKS_PAUSE		(HZ / 10)
#define PF_BLOCKS_PAUSE_IDLE	HZ

/*
 * How long a live process keeps a block that it does not need. The second is for
 * the time when no block is left: others may wait for this one.
 */
#define PF_BLOCKS_KEEP		(60 * HZ)
#define PF_BLOCKS_KEEP_LAST	HZ

/* After a failed allocation of a block, the time until the next one. */
#define PF_BLOCKS_NO_MEMORY	(10 * HZ)

/* The pool takes at most this part of the memory, a sixteenth. */
#define PF_BLOCKS_MEMORY_SHIFT	4

/**
 * struct pf_blocks - the pool and what its worker knows
 * @pool: an array of all blocks
 * @total: their number
 * @made: how many of them have their tallies
 * @nr_used: how many are not free; others read it
 * @free: blocks by state, see blocks.h
 * @used: see @free
 * @leaving: see @free
 * @clearing: see @free
 * @events: by CPU, the event PGFAULT at the last look
 * @turn: the number of that look
 * @active: whether there were faults between the last two looks
 * @next_look: when the next look is due, in jiffies
 * @next_make: when a block may be made, in jiffies
 *
 * @pool and @total are constant after pf_blocks_init(). Only the worker uses the
 * others.
 */
struct pf_blocks {
	struct pf_block *pool;
	unsigned int total;
	unsigned int made;
	unsigned int nr_used;
	struct list_head free;
	struct list_head used;
	struct list_head leaving;
	struct list_head clearing;
	unsigned long *events;
	unsigned int turn;
	bool active;
	unsigned long next_look;
	unsigned long next_make;
};

static struct pf_blocks pf_blocks;

/* Whether a fault began or ended on a CPU since the last look. */
static bool pf_blocks_is_active(unsigned int cpu)
{
	/* The CPU adds to it without WRITE_ONCE(). */
	unsigned long events =
		pf_racy_read(per_cpu(vm_event_states, cpu).event[PGFAULT]);
	bool active = events != pf_blocks.events[cpu];

	pf_blocks.events[cpu] = events;
	return active;
}

/*
 * Whether the entry may have a block: its process lives and has several threads.
 * RCU and the lock are held.
 */
static bool pf_blocks_suits(const struct pf_entry *entry)
{
	struct task_struct *task;

	if (entry->state != PF_ENTRY_LIVE)
		return false;
	task = pid_task(entry->pid, PIDTYPE_TGID);
	return task && pf_racy_read(task->signal->nr_threads) > 1;
}

static bool pf_blocks_can_make(void)
{
	return pf_blocks.made < pf_blocks.total &&
	       !time_before(jiffies, pf_blocks.next_make);
}

static void pf_blocks_make(void)
{
	struct pf_block *block = &pf_blocks.pool[pf_blocks.made];

	/* NORETRY: no process is killed to get memory for it. */
	block->tally = pf_tally_alloc_cpus(GFP_KERNEL | __GFP_NORETRY);
	if (!block->tally) {
		pf_blocks.next_make = jiffies + PF_BLOCKS_NO_MEMORY;
		return;
	}
	list_add_tail(&block->list, &pf_blocks.free);
	pf_blocks.made++;
}

/*
 * Gives the entry a free block, if there is one and the entry may have it.
 * Returns whether the entry may have one.
 */
static bool pf_blocks_give(struct pf_entry *entry)
{
	struct pf_block *block = list_first_entry_or_null(&pf_blocks.free,
							  struct pf_block, list);
	unsigned long flags;
	bool suits;

	rcu_read_lock();
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	suits = pf_blocks_suits(entry);
	if (suits && block) {
		block->entry = entry;
		entry->block = block;
		/* Release: a handler that reads it must see cleared tallies. */
		smp_store_release(&entry->cpu_tally, block->tally);
	}
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	rcu_read_unlock();
	if (suits && block) {
		list_move(&block->list, &pf_blocks.used);
		WRITE_ONCE(pf_blocks.nr_used, pf_blocks.nr_used + 1);
	}
	return suits;
}

/* Notes that several CPUs count into the entry. */
static void pf_blocks_notice(struct pf_entry *entry)
{
	/* Read without the lock: only the worker, which runs this, writes it. */
	if (!entry->block && pf_blocks_give(entry) && !entry->block &&
	    pf_blocks_can_make()) {
		pf_blocks_make();
		pf_blocks_give(entry);
	}
	if (entry->block)
		entry->block->seen = jiffies;
}

/**
 * pf_blocks_assign() - give blocks to the entries that several CPUs count into
 *
 * Does nothing if the last look was a moment ago. If an entry
 * found here is given to another process meanwhile, that process may get a block
 * that it does not need.
 *
 * Context: the worker.
 */
void pf_blocks_assign(void)
{
	unsigned int cpu;

	if (!pf_blocks.total || time_before(jiffies, pf_blocks.next_look))
		return;
	pf_blocks.active = false;
	pf_blocks.turn++;
	for_each_online_cpu(cpu) {
		struct pf_entry *entry = READ_ONCE(per_cpu(pf_table_last, cpu));

		/* Without a fault since the last look it is an old note. */
		if (!pf_blocks_is_active(cpu) || !entry)
			continue;
		pf_blocks.active = true;
		if (entry->turn == pf_blocks.turn)
			pf_blocks_notice(entry);
		entry->turn = pf_blocks.turn;
	}
	pf_blocks.next_look = jiffies + pf_blocks_pause();
}

/* Whether there is no block for another entry. */
static bool pf_blocks_is_exhausted(void)
{
	return list_empty(&pf_blocks.free) && !pf_blocks_can_make();
}

/* Whether the entry does not need its block any more. */
static bool pf_blocks_is_idle(const struct pf_block *block)
{
	unsigned long keep = pf_blocks_is_exhausted() ? PF_BLOCKS_KEEP_LAST :
							PF_BLOCKS_KEEP;

	/* An exit that is not seen yet is seen the next time. */
	return pf_racy_read(block->entry->state) != PF_ENTRY_LIVE ||
	       time_after(jiffies, block->seen + keep);
}

/**
 * pf_blocks_leave() - begin to take back blocks that are not needed
 *
 * Context: the worker, before it waits for a grace period.
 * Return: whether pf_blocks_settle() has to be called after a grace period.
 */
bool pf_blocks_leave(void)
{
	struct pf_block *block, *next;

	list_for_each_entry_safe(block, next, &pf_blocks.used, list) {
		if (!pf_blocks_is_idle(block))
			continue;
		/* Handlers that look for a tally do not find it any more. */
		WRITE_ONCE(block->entry->cpu_tally, NULL);
		list_move(&block->list, &pf_blocks.leaving);
	}
	return !list_empty(&pf_blocks.leaving) ||
	       !list_empty(&pf_blocks.clearing);
}

/* Clears a block that is not read any more. */
static void pf_blocks_free(struct pf_block *block)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		pf_tally_clear(per_cpu_ptr(block->tally, cpu));
	list_move(&block->list, &pf_blocks.free);
	WRITE_ONCE(pf_blocks.nr_used, pf_blocks.nr_used - 1);
}

/**
 * pf_blocks_settle() - go on with the blocks that are taken back
 *
 * Context: the worker, after it has waited for a grace period since
 *	pf_blocks_leave().
 */
void pf_blocks_settle(void)
{
	struct pf_block *block, *next;

	list_for_each_entry_safe(block, next, &pf_blocks.clearing, list) {
		pf_blocks_free(block);
		cond_resched();
	}
	list_for_each_entry_safe(block, next, &pf_blocks.leaving, list) {
		pf_blocks_merge(block->entry);
		cond_resched();
	}
}

/**
 * pf_blocks_merge() - add what an entry's block has counted to its own tally
 * @entry: the entry, with a block or without one
 *
 * Context: the worker, after a grace period since handlers could find the block.
 */
void pf_blocks_merge(struct pf_entry *entry)
{
	struct pf_block *block = entry->block;
	struct pf_tally sum;
	unsigned long flags;

	if (!block)
		return;
	pf_tally_clear(&sum);
	pf_tally_gather(&sum, block->tally);
	raw_spin_lock_irqsave(&pf_table.lock, flags);
	pf_tally_merge(&entry->tally, &sum);
	entry->block = NULL;
	WRITE_ONCE(entry->cpu_tally, NULL);
	raw_spin_unlock_irqrestore(&pf_table.lock, flags);
	block->entry = NULL;
	list_move(&block->list, &pf_blocks.clearing);
}

/**
 * pf_blocks_pause() - how long the worker may sleep
 *
 * Context: the worker.
 * Return: the time in jiffies.
 */
unsigned long pf_blocks_pause(void)
{
	return pf_blocks.active ? PF_BLOCKS_PAUSE : PF_BLOCKS_PAUSE_IDLE;
}

/* How many blocks there can be; none if there is only one CPU. */
static unsigned int pf_blocks_limit(unsigned int blocks)
{
	unsigned int cpus = num_possible_cpus();
	unsigned long block = cpus * ALIGN(sizeof(struct pf_tally),
					   SMP_CACHE_BYTES);
	unsigned long memory = totalram_pages() * PAGE_SIZE;

	if (cpus == 1)
		return 0;
	return min_t(unsigned long, blocks,
		     (memory >> PF_BLOCKS_MEMORY_SHIFT) / block);
}

/**
 * pf_blocks_init() - make an empty pool
 * @blocks: how many processes can have a block at the same time, at most
 *	PF_BLOCKS_MAX
 *
 * There can be fewer if there is little memory, see pf_blocks_total(). That is no
 * error: counts are exact without blocks.
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pf_blocks_init(unsigned int blocks)
{
	blocks = pf_blocks_limit(blocks);
	INIT_LIST_HEAD(&pf_blocks.free);
	INIT_LIST_HEAD(&pf_blocks.used);
	INIT_LIST_HEAD(&pf_blocks.leaving);
	INIT_LIST_HEAD(&pf_blocks.clearing);
	pf_blocks.next_look = jiffies;
	pf_blocks.next_make = jiffies;
	pf_blocks.events = kvcalloc(nr_cpu_ids, sizeof(*pf_blocks.events),
				    GFP_KERNEL);
	pf_blocks.pool = kvcalloc(blocks, sizeof(*pf_blocks.pool), GFP_KERNEL);
	if (!pf_blocks.events || !pf_blocks.pool) {
		pf_blocks_exit();
		return -ENOMEM;
	}
	pf_blocks.total = blocks;
	return 0;
}

/**
 * pf_blocks_exit() - free the pool
 *
 * Called when nothing counts or reads any more and the worker has stopped.
 *
 * Context: process context, may sleep.
 */
void pf_blocks_exit(void)
{
	unsigned int i;

	for (i = 0; i < pf_blocks.made; i++)
		free_percpu(pf_blocks.pool[i].tally);
	kvfree(pf_blocks.pool);
	kvfree(pf_blocks.events);
}

/**
 * pf_blocks_total() - how many processes can have a block at the same time
 *
 * Context: any.
 * Return: their number; 0 if there is only one CPU.
 */
unsigned int pf_blocks_total(void)
{
	return pf_blocks.total;
}

/**
 * pf_blocks_used() - how many blocks are not free
 *
 * Context: any.
 * Return: their number.
 */
unsigned int pf_blocks_used(void)
{
	return READ_ONCE(pf_blocks.nr_used);
}
