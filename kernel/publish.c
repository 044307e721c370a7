// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the files in debugfs, and writes stats and latency. Their format is
 * described in include/page_faults.h.
 *
 * A file has mode 0400, no ioctl and no mmap, so that debugfs_locked_down()
 * (fs/debugfs/file.c) permits reading it under lockdown. An open file holds a
 * reference on the module, which a forced unload (rmmod -f) does not respect.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "publish.h"

#include <linux/cache.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "account.h"
#include "blocks.h"
#include "drift.h"
#include "include/page_faults.h"
#include "latency.h"
#include "probe.h"
#include "processes.h"
#include "table.h"

static struct dentry *pf_publish_dir __ro_after_init;
unsigned int pf_publish_counters __ro_after_init;
static u64 pf_publish_loaded_ns __ro_after_init;

static unsigned int pf_publish_keys(struct seq_file *m, const char *prefix,
				    const struct pf_sums *sums)
{
	unsigned int i;

	for (i = 0; i < pf_publish_counters; i++)
		seq_printf(m, "%s%s %llu\n", prefix, pf_sum_names[i],
			   sums->v[i]);
	return pf_publish_counters;
}

/* The keys that compare our counts with the kernel's; returns their number. */
static unsigned int pf_publish_self_check(struct seq_file *m,
					  const struct pf_sums *global)
{
	s64 pgfault;
	s64 drift = pf_drift_read(global, &pgfault);
	const char *reason = pf_probe_hook_reason();
	const char *clock = pf_probe_clock_name();
	unsigned int lines = 5;

	seq_printf(m, PF_KEY_HOOK " %s\n", pf_probe_hook_name());
	if (reason) {
		seq_printf(m, PF_KEY_HOOK_REASON " %s\n", reason);
		lines++;
	}
	if (clock) {
		seq_printf(m, PF_KEY_CLOCK " %s\n", clock);
		lines++;
	}
	seq_printf(m, PF_KEY_PROBE_MISSED " %llu\n", pf_probe_missed());
	seq_printf(m, PF_KEY_KERNEL_PGFAULT " %llu\n", max(pgfault, 0LL));
	seq_printf(m, PF_KEY_DRIFT " %lld\n", drift);
	seq_printf(m, PF_KEY_ROWS_DIFFER " %u\n", pf_account_differing_rows());
	return lines;
}

static unsigned int pf_publish_table(struct seq_file *m,
				     const struct pf_table_status *status)
{
	seq_printf(m, PF_KEY_VERSION " %d\n", PF_FORMAT_VERSION);
	seq_puts(m, PF_KEY_MODULE_VERSION " " PF_MODULE_VERSION "\n");
	seq_puts(m, PF_KEY_DETAIL " " PF_DETAIL_FULL "\n");
	seq_printf(m, PF_KEY_LOADED_NS " %llu\n", pf_publish_loaded_ns);
	seq_printf(m, PF_KEY_CAPACITY " %u\n", status->capacity);
	seq_printf(m, PF_KEY_LIVE " %u\n", status->live);
	seq_printf(m, PF_KEY_EXITED " %u\n", status->exited);
	seq_printf(m, PF_KEY_RETIRED_ROWS " %llu\n", status->retired_rows);
	seq_printf(m, PF_KEY_BLOCKS " %u\n", pf_blocks_total());
	seq_printf(m, PF_KEY_BLOCKS_USED " %u\n", pf_blocks_used());
	return 10;
}

static int pf_publish_stats_show(struct seq_file *m, void *v)
{
	struct pf_table_status *status = kmalloc(sizeof(*status), GFP_KERNEL);
	unsigned int lines;

	if (!status)
		return -ENOMEM;
	pf_table_status(status);
	lines = pf_publish_table(m, status);
	lines += pf_publish_self_check(m, &status->global);
	lines += pf_publish_keys(m, "", &status->global);
	lines += pf_publish_keys(m, PF_KEY_RETIRED_PREFIX, &status->retired);
	lines += pf_publish_keys(m, PF_KEY_OVERFLOW_PREFIX, &status->overflow);
	seq_printf(m, PF_KEY_END " %u\n", lines);
	kfree(status);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pf_publish_stats);

/* Prints, by severity, the sum of the buckets up to and including @last. */
static void pf_publish_bucket(struct seq_file *m, const struct pf_histogram *h,
			      unsigned int last)
{
	u64 n[PF_SEVERITIES] = {};
	unsigned int s, k;

	for (s = 0; s < PF_SEVERITIES; s++)
		for (k = 0; k <= last; k++)
			n[s] += h[s].bucket[k];
	seq_printf(m, "\t%llu\t%llu\n", n[PF_SEVERITY_MINOR],
		   n[PF_SEVERITY_MAJOR]);
}

static int pf_publish_latency_show(struct seq_file *m, void *v)
{
	struct pf_histogram *h = kcalloc(PF_SEVERITIES, sizeof(*h), GFP_KERNEL);
	const unsigned int all = ARRAY_SIZE(h->bucket) - 1;
	unsigned int k;

	if (!h)
		return -ENOMEM;
	pf_latency_read(PF_SEVERITY_MINOR, &h[PF_SEVERITY_MINOR]);
	pf_latency_read(PF_SEVERITY_MAJOR, &h[PF_SEVERITY_MAJOR]);
	seq_printf(m, PF_MAGIC "%d\n", PF_FORMAT_VERSION);
	seq_puts(m, PF_COL_LE_NS "\t" PF_COL_MINOR "\t" PF_COL_MAJOR "\n");
	for (k = PF_LATENCY_FIRST; k <= PF_LATENCY_LAST; k++) {
		seq_printf(m, "%llu", 1ULL << k);
		pf_publish_bucket(m, h, k - 1);
	}
	seq_puts(m, PF_LE_INF);
	pf_publish_bucket(m, h, all);
	seq_printf(m, PF_LE_SUM "\t%llu\t%llu\n", h[PF_SEVERITY_MINOR].sum,
		   h[PF_SEVERITY_MAJOR].sum);
	seq_puts(m, PF_LE_COUNT);
	pf_publish_bucket(m, h, all);
	seq_printf(m, PF_TRAILER "%u\n",
		   PF_LATENCY_LAST - PF_LATENCY_FIRST + 1 + 3);
	kfree(h);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pf_publish_latency);

/*
 * Opens a file. debugfs would take the reference on the module itself, but warns
 * if it finds a module without references whose state does not yet say that it
 * goes. This is so for some instructions of each unload (try_stop_module() in
 * kernel/module/main.c, full_proxy_open() in fs/debugfs/file.c).
 *
 * Removing the file waits until this returns, but not for its caller. If the
 * module goes, do_dentry_open() (fs/open.c) still reads the owner of the file's
 * operations: so these are debugfs's own again.
 */
static int pf_publish_open(struct inode *inode, struct file *file)
{
	const struct file_operations *fops = inode->i_private;

	if (!fops_get(fops)) {
		replace_fops(file, inode->i_fop);
		return -ENXIO;
	}
	replace_fops(file, fops);
	return fops->open(inode, file);
}

/* Without an owner, so that debugfs takes no reference. */
static const struct file_operations pf_publish_open_fops = {
	.open = pf_publish_open,
};

/*
 * "Unsafe" is a file that may be removed while it is open. The reference on the
 * module prevents that.
 */
static int pf_publish_file(const char *name, const struct file_operations *fops)
{
	struct dentry *file =
		debugfs_create_file_unsafe(name, 0400, pf_publish_dir,
					   (void *)fops, &pf_publish_open_fops);

	return PTR_ERR_OR_ZERO(file);
}

/*
 * Only the first file may fail the load. Once there is a file, a process can
 * have it open, and the kernel frees a module whose init fails without waiting
 * for it.
 */
static int pf_publish_files(bool latency)
{
	int err = pf_publish_file(PF_FILE_PROCESSES,
				  &pf_processes_fops);

	if (err)
		return err;
	if (pf_publish_file(PF_FILE_STATS, &pf_publish_stats_fops))
		pr_warn("no file " PF_FILE_STATS ": not enough memory\n");
	if (latency &&
	    pf_publish_file(PF_FILE_LATENCY, &pf_publish_latency_fops))
		pr_warn("no file " PF_FILE_LATENCY ": not enough memory\n");
	return 0;
}

/**
 * pf_publish_init() - make the files
 * @latency: whether calls are timed
 *
 * Context: process context, may sleep; the table is filled.
 * Return: 0 or a negative errno; -EPERM if debugfs is switched off
 *	(debugfs=off).
 */
int pf_publish_init(bool latency)
{
	int err;

	pf_publish_counters = latency ? PF_SUMS : PF_SUM_STALL_NS;
	pf_publish_loaded_ns = ktime_get_boottime_ns();
	pf_publish_dir = debugfs_create_dir(PF_DEBUGFS_DIR, NULL);
	err = PTR_ERR_OR_ZERO(pf_publish_dir);
	if (!err)
		err = pf_publish_files(latency);
	if (err) {
		pr_err("cannot create " PF_DEBUGFS_DIR " in debugfs: error %d%s\n",
		       err, err == -EPERM ? " (is it switched off by debugfs=off?)" :
					    "");
		pf_publish_exit();
	}
	return err;
}

/**
 * pf_publish_exit() - remove the files, of which none is open
 *
 * Context: process context, may sleep.
 */
void pf_publish_exit(void)
{
	if (!IS_ERR(pf_publish_dir))
		debugfs_remove(pf_publish_dir);
}
