// SPDX-License-Identifier: GPL-2.0-only
/* What is rare in counting a call of handle_mm_fault; see call.h. */
#include "call.h"

#include <linux/cache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/kprobes.h>
#include <linux/minmax.h>

#include "compat.h"

const struct address_space_operations *pf_call_shmem_aops __ro_after_init;

/**
 * pf_call_learn_shmem() - learn the operations of shmem mappings
 *
 * Makes a shmem file for a moment.
 *
 * Context: process context, may sleep; before the first call is noted.
 * Return: 0, or a negative errno.
 */
int pf_call_learn_shmem(void)
{
	struct file *file = pf_compat_shmem_file("page_faults");

	if (IS_ERR(file))
		return PTR_ERR(file);
	pf_call_shmem_aops = file->f_mapping->a_ops;
	fput(file);
	return 0;
}

/* The counter of an error; several bits of @ret can be set. */
static enum pf_counter pf_call_error(vm_fault_t ret)
{
	if (ret & (VM_FAULT_HWPOISON | VM_FAULT_HWPOISON_LARGE))
		return PF_COUNTER_HWPOISON;
	if (ret & VM_FAULT_OOM)
		return PF_COUNTER_OOM;
	if (ret & VM_FAULT_SIGSEGV)
		return PF_COUNTER_SIGSEGV;
	return PF_COUNTER_SIGBUS;
}
NOKPROBE_SYMBOL(pf_call_error);

/* Whether the caller retries a call that returned VM_FAULT_RETRY. */
static bool pf_call_comes_back(const struct pf_call *call)
{
	return !(call->flags & FAULT_FLAG_RETRY_NOWAIT) &&
	       !(current->flags & PF_EXITING);
}
NOKPROBE_SYMBOL(pf_call_comes_back);

/**
 * pf_call_unfinished() - count a call that completed no fault
 * @call: as pf_call_note() noted it
 * @ret: a retry or an error
 * @clock: as for pf_call_note()
 *
 * Context: as pf_call_result().
 */
void pf_call_unfinished(const struct pf_call *call, vm_fault_t ret,
			enum pf_clock clock)
{
	struct pf_tally *tally = pf_table_tally(current);
	bool retry = ret & VM_FAULT_RETRY;

	pf_call_count(tally, retry ? PF_COUNTER_RETRIED : pf_call_error(ret),
		      1);
	if (clock != PF_CLOCK_OFF) {
		u64 ns = max_t(s64, pf_clock_since(clock, &call->start),
			       PF_CALL_NS_MIN);

		pf_call_count(tally, PF_COUNTER_STALL_NS, ns);
		if (!retry)
			pf_carry_forget(current);
		else if (pf_call_comes_back(call))
			pf_carry_add(call->address, ns);
	}
}
NOKPROBE_SYMBOL(pf_call_unfinished);

/**
 * pf_call_time_slow() - as pf_call_time(), for the rare cases
 * @call: as pf_call_note() noted it
 * @tally: where the fault is counted
 * @severity: minor or major
 * @elapsed: the time of this call, ns; may be too small
 *
 * The fault is slow, or earlier calls of it may have left time, or the clock did
 * not move.
 *
 * Context: as pf_call_result().
 * Return: the time of the fault with its retries, ns.
 */
u64 pf_call_time_slow(const struct pf_call *call, struct pf_tally *tally,
		      enum pf_severity severity, s64 elapsed)
{
	u64 ns = max_t(s64, elapsed, PF_CALL_NS_MIN);
	u64 total = ns;

	/* The earlier calls have added theirs. */
	pf_call_count(tally, PF_COUNTER_STALL_NS, ns);
	if (pf_call_may_carry(call))
		total += pf_carry_claim(call->address);
	pf_latency_count(severity, total);
	if (total > PF_SLOW_NS)
		pf_call_count(tally, pf_tally_slow_counter(total), 1);
	return total;
}
NOKPROBE_SYMBOL(pf_call_time_slow);
