// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files in debugfs: processes, stats and latency. Their format is the
 * contract's, include/page_faults.h.
 *
 * All are read-only with mode 0400 and have no ioctl and no mmap, for which
 * debugfs_locked_down() (fs/debugfs/file.c) permits reading under lockdown.
 * Removing a file waits for readers inside it, so that unloading is safe while
 * they read.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "publish.h"

#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "account.h"
#include "drift.h"
#include "include/page_faults.h"
#include "latency.h"
#include "memory.h"
#include "probe.h"
#include "table.h"
#include "text.h"

/*
 * What a read() returns at most. seq_file's own PAGE_SIZE would make a dozen
 * rows a call of it.
 */
#define PF_PUBLISH_BUFFER	(64 * 1024)

/* No row is longer: its numbers, its breakdown, its comm, tabs and names. */
#define PF_PUBLISH_ROW_MAX \
	((8 + PF_SUMS) * (PF_TEXT_U64_MAX + 1) + \
	 PF_BREAKDOWN_CELLS * (PF_TEXT_U64_MAX + 5) + 4 * TASK_COMM_LEN + 16)

static struct dentry *pf_publish_dir;
/* How many of the sums are offered: the first ones of enum pf_sum. */
static unsigned int pf_publish_counters;
static u64 pf_publish_loaded_ns;

/**
 * struct pf_walk - a reader of processes
 * @rows: rows in the text so far
 * @row: the row being written; large, so not on the stack
 */
struct pf_walk {
	unsigned long rows;
	struct pf_row row;
};

/* Positions: 0 the head, 1 + index an entry, 1 + capacity the trailer. */
static loff_t pf_publish_position(loff_t pos)
{
	int index = pf_table_next(pos - 1);

	return index < 0 ? (loff_t)PF_MAX_PROCESSES_MAX + 1 : index + 1;
}

static void *pf_publish_start(struct seq_file *m, loff_t *pos)
{
	struct pf_walk *walk = m->private;

	if (!*pos) {
		walk->rows = 0;
		if (pf_table_is_totals())
			pf_table_fill();
		return SEQ_START_TOKEN;
	}
	if (*pos > PF_MAX_PROCESSES_MAX + 1)
		return NULL;
	*pos = pf_publish_position(*pos);
	return pos;
}

static void *pf_publish_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	if (*pos > PF_MAX_PROCESSES_MAX + 1)
		return NULL;
	*pos = pf_publish_position(*pos);
	return pos;
}

static void pf_publish_stop(struct seq_file *m, void *v)
{
}

static void pf_publish_head(struct seq_file *m)
{
	unsigned int i;

	seq_printf(m, PF_MAGIC "%d\n", PF_FORMAT_VERSION);
	seq_puts(m, PF_COL_PID "\t" PF_COL_START_NS "\t" PF_COL_STATE "\t"
		 PF_COL_VMA_KB "\t" PF_COL_RSS_KB "\t" PF_COL_RSS_ANON_KB "\t"
		 PF_COL_RSS_FILE_KB "\t" PF_COL_RSS_SHMEM_KB "\t"
		 PF_COL_SWAP_KB);
	for (i = 0; i < pf_publish_counters; i++) {
		seq_putc(m, '\t');
		seq_puts(m, pf_sum_names[i]);
	}
	if (!pf_table_is_totals())
		seq_puts(m, "\t" PF_COL_BREAKDOWN);
	seq_puts(m, "\t" PF_COL_COMM "\n");
}

static char *pf_publish_field(char *p, u64 n)
{
	p = pf_text_u64(p, n);
	*p++ = '\t';
	return p;
}

static char *pf_publish_kb(char *p, u64 pages)
{
	return pf_publish_field(p, pages << (PAGE_SHIFT - 10));
}

static char *pf_publish_memory(char *p, const struct pf_memory *memory)
{
	p = pf_publish_kb(p, memory->vma);
	p = pf_publish_kb(p, memory->anon + memory->file + memory->shmem);
	p = pf_publish_kb(p, memory->anon);
	p = pf_publish_kb(p, memory->file);
	p = pf_publish_kb(p, memory->shmem);
	return pf_publish_kb(p, memory->swap);
}

static char *pf_publish_breakdown(char *p, const u64 *breakdown)
{
	char *start = p;
	unsigned int i;

	for (i = 0; i < PF_BREAKDOWN_CELLS; i++) {
		if (!breakdown[i])
			continue;
		if (p != start)
			*p++ = ',';
		*p++ = PF_BREAKDOWN_SEVERITIES[i / PF_KINDS / PF_ACCESSES];
		*p++ = PF_BREAKDOWN_ACCESSES[i / PF_KINDS % PF_ACCESSES];
		*p++ = PF_BREAKDOWN_KINDS[i % PF_KINDS];
		*p++ = '=';
		p = pf_text_u64(p, breakdown[i]);
	}
	if (p == start)
		*p++ = '-';
	return p;
}

static char *pf_publish_sums(char *p, const struct pf_sums *sums)
{
	unsigned int i;

	for (i = 0; i < pf_publish_counters; i++)
		p = pf_publish_field(p, sums->v[i]);
	if (!pf_table_is_totals()) {
		p = pf_publish_breakdown(p, sums->breakdown);
		*p++ = '\t';
	}
	return p;
}

/* Writes a row; returns its end. */
static char *pf_publish_fields(char *p, struct pf_row *row)
{
	struct pf_memory memory = {};

	/* A row still called live whose process is gone is about to be marked. */
	if (row->live)
		row->live = pf_memory_read(row->pid, &memory, row->comm);
	p = pf_publish_field(p, pid_nr(row->pid));
	p = pf_publish_field(p, row->start_ns);
	p = pf_text_string(p, row->live ? PF_STATE_LIVE "\t" :
					  PF_STATE_EXITED "\t");
	p = pf_publish_memory(p, &memory);
	p = pf_publish_sums(p, &row->sums);
	p = pf_text_escaped(p, row->comm);
	*p++ = '\n';
	return p;
}

static int pf_publish_row(struct seq_file *m, unsigned int index)
{
	struct pf_walk *walk = m->private;
	char *start, *end;

	if (seq_get_buf(m, &start) < PF_PUBLISH_ROW_MAX) {
		seq_commit(m, -1);	/* again with an empty buffer */
		return 0;
	}
	if (!pf_table_row(index, &walk->row))
		return 0;
	end = pf_publish_fields(start, &walk->row);
	put_pid(walk->row.pid);
	seq_commit(m, end - start);
	walk->rows++;
	return 0;
}

static int pf_publish_show(struct seq_file *m, void *v)
{
	const struct pf_walk *walk = m->private;
	loff_t pos;

	if (v == SEQ_START_TOKEN) {
		pf_publish_head(m);
		return 0;
	}
	pos = *(loff_t *)v;
	if (pos <= PF_MAX_PROCESSES_MAX)
		return pf_publish_row(m, pos - 1);
	seq_printf(m, PF_TRAILER "%lu\n", walk->rows);
	return 0;
}

static const struct seq_operations pf_publish_processes = {
	.start = pf_publish_start,
	.next = pf_publish_next,
	.stop = pf_publish_stop,
	.show = pf_publish_show,
};

static int pf_publish_processes_open(struct inode *inode, struct file *file)
{
	struct seq_file *m;

	if (!__seq_open_private(file, &pf_publish_processes,
				sizeof(struct pf_walk)))
		return -ENOMEM;
	/* As single_open_size() does (fs/seq_file.c). */
	m = file->private_data;
	m->buf = kvmalloc(PF_PUBLISH_BUFFER, GFP_KERNEL_ACCOUNT);
	if (!m->buf) {
		seq_release_private(inode, file);
		return -ENOMEM;
	}
	m->size = PF_PUBLISH_BUFFER;
	return 0;
}

static const struct file_operations pf_publish_processes_fops = {
	.owner = THIS_MODULE,
	.open = pf_publish_processes_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

static unsigned int pf_publish_keys(struct seq_file *m, const char *prefix,
				    const struct pf_sums *sums)
{
	unsigned int i;

	for (i = 0; i < pf_publish_counters; i++)
		seq_printf(m, "%s%s %llu\n", prefix, pf_sum_names[i],
			   sums->v[i]);
	return pf_publish_counters;
}

/* What the module says of itself: the probe against the kernel's counts. */
static unsigned int pf_publish_self_check(struct seq_file *m,
					  const struct pf_sums *global)
{
	s64 pgfault;
	s64 drift = pf_drift_read(global, &pgfault);
	const char *clock = pf_probe_clock_name();

	if (clock)
		seq_printf(m, PF_KEY_CLOCK " %s\n", clock);
	seq_printf(m, PF_KEY_PROBE_MISSED " %llu\n", pf_probe_missed());
	seq_printf(m, PF_KEY_KERNEL_PGFAULT " %llu\n", max(pgfault, 0LL));
	seq_printf(m, PF_KEY_DRIFT " %lld\n", drift);
	seq_printf(m, PF_KEY_ROWS_DIFFER " %u\n", pf_account_differing_rows());
	return clock ? 5 : 4;
}

static unsigned int pf_publish_table(struct seq_file *m,
				     const struct pf_table_status *status)
{
	seq_printf(m, PF_KEY_VERSION " %d\n", PF_FORMAT_VERSION);
	seq_puts(m, PF_KEY_MODULE_VERSION " " PF_MODULE_VERSION "\n");
	seq_printf(m, PF_KEY_DETAIL " %s\n",
		   pf_table_is_totals() ? PF_DETAIL_TOTALS : PF_DETAIL_FULL);
	seq_printf(m, PF_KEY_LOADED_NS " %llu\n", pf_publish_loaded_ns);
	seq_printf(m, PF_KEY_CAPACITY " %u\n", status->capacity);
	seq_printf(m, PF_KEY_LIVE " %u\n", status->live);
	seq_printf(m, PF_KEY_EXITED " %u\n", status->exited);
	seq_printf(m, PF_KEY_RETIRED_ROWS " %llu\n", status->retired_rows);
	return 8;
}

static int pf_publish_stats_show(struct seq_file *m, void *v)
{
	struct pf_table_status *status = kmalloc(sizeof(*status), GFP_KERNEL);
	unsigned int lines;

	if (!status)
		return -ENOMEM;
	if (pf_table_is_totals())
		pf_table_fill();
	pf_table_status(status);
	lines = pf_publish_table(m, status);
	if (!pf_table_is_totals())
		lines += pf_publish_self_check(m, &status->global);
	lines += pf_publish_keys(m, "", &status->global);
	lines += pf_publish_keys(m, PF_KEY_RETIRED_PREFIX, &status->retired);
	lines += pf_publish_keys(m, PF_KEY_OVERFLOW_PREFIX, &status->overflow);
	seq_printf(m, PF_KEY_END " %u\n", lines);
	kfree(status);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pf_publish_stats);

/* Adds the buckets up to and including @last up, of both severities. */
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

static int pf_publish_file(const char *name, const struct file_operations *fops)
{
	struct dentry *file = debugfs_create_file(name, 0400, pf_publish_dir,
						  NULL, fops);

	return PTR_ERR_OR_ZERO(file);
}

/*
 * Only the first may fail the load: once there is a file somebody may have it
 * open, and a module that fails to load is freed all the same.
 */
static int pf_publish_files(bool latency)
{
	int err = pf_publish_file(PF_FILE_PROCESSES,
				  &pf_publish_processes_fops);

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
 * Context: process context, may sleep; the table is ready.
 * Return: 0, or a negative errno; -EPERM where debugfs is switched off by
 *	debugfs=off.
 */
int pf_publish_init(bool latency)
{
	int err;

	pf_publish_counters = pf_table_is_totals() ? PF_SUM_MAJOR + 1 :
			      latency		   ? PF_SUMS :
						     PF_SUM_STALL_NS;
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
 * pf_publish_exit() - remove the files, and wait for readers inside them
 *
 * Context: process context, may sleep.
 */
void pf_publish_exit(void)
{
	if (!IS_ERR(pf_publish_dir))
		debugfs_remove(pf_publish_dir);
}
