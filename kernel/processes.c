// SPDX-License-Identifier: GPL-2.0-only
/* Writes the file processes; see include/page_faults.h for its format. */
#include "processes.h"

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "compat.h"
#include "include/page_faults.h"
#include "memory.h"
#include "publish.h"
#include "table.h"
#include "text.h"

/*
 * The most that one read() returns. With seq_file's default, PAGE_SIZE, a
 * read() would return a dozen rows.
 */
#define PF_PROCESSES_BUFFER	(64 * 1024)

/* The longest row: numbers with their tabs, breakdown, comm, state. */
#define PF_PROCESSES_ROW_MAX \
	((11 + PF_SUMS) * (PF_TEXT_U64_MAX + 1) + \
	 PF_BREAKDOWN_CELLS * (PF_TEXT_U64_MAX + 5) + 4 * TASK_COMM_LEN + 16)

/**
 * struct pf_walk - an open file processes
 * @rows: rows written so far
 * @row: the row being written; too large for the stack
 */
struct pf_walk {
	unsigned long rows;
	struct pf_row row;
};

/*
 * Returns the next position in the file, starting at @pos. 0 is the head, 1 +
 * index is an entry, and PF_MAX_PROCESSES_MAX + 1 is the trailer.
 */
static loff_t pf_processes_position(loff_t pos)
{
	int index = pf_table_next(pos - 1);

	return index < 0 ? (loff_t)PF_MAX_PROCESSES_MAX + 1 : index + 1;
}

static void *pf_processes_start(struct seq_file *m, loff_t *pos)
{
	struct pf_walk *walk = m->private;

	if (!*pos) {
		walk->rows = 0;
		return SEQ_START_TOKEN;
	}
	if (*pos > PF_MAX_PROCESSES_MAX + 1)
		return NULL;
	*pos = pf_processes_position(*pos);
	return pos;
}

static void *pf_processes_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	if (*pos > PF_MAX_PROCESSES_MAX + 1)
		return NULL;
	*pos = pf_processes_position(*pos);
	return pos;
}

static void pf_processes_stop(struct seq_file *m, void *v)
{
}

static void pf_processes_head(struct seq_file *m)
{
	unsigned int i;

	seq_printf(m, PF_MAGIC "%d\n", PF_FORMAT_VERSION);
	seq_puts(m, PF_COL_PID "\t" PF_COL_START_NS "\t" PF_COL_STATE "\t"
		 PF_COL_BY_CPU "\t" PF_COL_VMA_KB "\t" PF_COL_RSS_KB "\t"
		 PF_COL_RSS_ANON_KB "\t" PF_COL_RSS_FILE_KB "\t" PF_COL_RSS_SHMEM_KB "\t"
		 PF_COL_SWAP_KB);
	if (PF_HAVE_HUGETLB)
		seq_puts(m, "\t" PF_COL_HUGETLB_KB);
	for (i = 0; i < pf_publish_counters; i++) {
		seq_putc(m, '\t');
		seq_puts(m, pf_sum_names[i]);
	}
	seq_puts(m, "\t" PF_COL_BREAKDOWN "\t" PF_COL_CGROUP "\t"
		 PF_COL_COMM "\n");
}

static char *pf_processes_field(char *p, u64 n)
{
	p = pf_text_u64(p, n);
	*p++ = '\t';
	return p;
}

static char *pf_processes_kb(char *p, u64 pages)
{
	return pf_processes_field(p, pages << (PAGE_SHIFT - 10));
}

static char *pf_processes_memory(char *p, const struct pf_memory *memory)
{
	p = pf_processes_kb(p, memory->vma);
	p = pf_processes_kb(p, memory->anon + memory->file + memory->shmem);
	p = pf_processes_kb(p, memory->anon);
	p = pf_processes_kb(p, memory->file);
	p = pf_processes_kb(p, memory->shmem);
	p = pf_processes_kb(p, memory->swap);
	if (PF_HAVE_HUGETLB)
		p = pf_processes_kb(p, memory->hugetlb);
	return p;
}

static char *pf_processes_breakdown(char *p, const u64 *breakdown)
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

static char *pf_processes_sums(char *p, const struct pf_sums *sums)
{
	unsigned int i;

	for (i = 0; i < pf_publish_counters; i++)
		p = pf_processes_field(p, sums->v[i]);
	p = pf_processes_breakdown(p, sums->breakdown);
	*p++ = '\t';
	return p;
}

/* Reads what the process of a live entry has now; returns false if it is gone. */
static bool pf_processes_live(struct pf_row *row, struct pf_memory *memory)
{
	return pf_memory_read(row->pid, memory, row->comm, &row->cgroup);
}

/*
 * Reads an entry, and what else the process of a live one has. If the process
 * has gone in between, its exit hook has stored its last name and control group in
 * the entry, which is then read again. By then the entry may be that of another
 * process, whose struct pid is not @gone: the reference on @gone keeps it from being
 * used again. Returns whether the entry is in use; then the caller puts row->pid.
 */
static bool pf_processes_read(unsigned int index, struct pf_row *row,
			      struct pf_memory *memory)
{
	struct pid *gone = NULL;
	bool used;

	memset(memory, 0, sizeof(*memory));
	while ((used = pf_table_row(index, row)) && row->live &&
	       !pf_processes_live(row, memory)) {
		if (row->pid == gone) {
			row->live = false;	/* the hook has missed the exit */
			break;
		}
		put_pid(gone);
		gone = row->pid;
	}
	put_pid(gone);
	return used;
}

/* Writes a row at @p; returns the end of it. */
static char *pf_processes_fields(char *p, const struct pf_row *row,
				 const struct pf_memory *memory)
{
	p = pf_processes_field(p, pid_nr(row->pid));
	p = pf_processes_field(p, row->start_ns);
	p = pf_text_string(p, row->live ? PF_STATE_LIVE "\t" :
					  PF_STATE_EXITED "\t");
	p = pf_processes_field(p, row->by_cpu);
	p = pf_processes_memory(p, memory);
	p = pf_processes_sums(p, &row->sums);
	p = pf_processes_field(p, row->cgroup);
	p = pf_text_escaped(p, row->comm);
	*p++ = '\n';
	return p;
}

static int pf_processes_row(struct seq_file *m, unsigned int index)
{
	struct pf_walk *walk = m->private;
	struct pf_memory memory;
	char *start, *end;

	if (seq_get_buf(m, &start) < PF_PROCESSES_ROW_MAX) {
		seq_commit(m, -1);	/* call again with an empty buffer */
		return 0;
	}
	if (!pf_processes_read(index, &walk->row, &memory))
		return 0;
	end = pf_processes_fields(start, &walk->row, &memory);
	put_pid(walk->row.pid);
	cond_resched();
	seq_commit(m, end - start);
	walk->rows++;
	return 0;
}

static int pf_processes_show(struct seq_file *m, void *v)
{
	const struct pf_walk *walk = m->private;
	loff_t pos;

	if (v == SEQ_START_TOKEN) {
		pf_processes_head(m);
		return 0;
	}
	pos = *(loff_t *)v;
	if (pos <= PF_MAX_PROCESSES_MAX)
		return pf_processes_row(m, pos - 1);
	seq_printf(m, PF_TRAILER "%lu\n", walk->rows);
	return 0;
}

static const struct seq_operations pf_processes_ops = {
	.start = pf_processes_start,
	.next = pf_processes_next,
	.stop = pf_processes_stop,
	.show = pf_processes_show,
};

static int pf_processes_open(struct inode *inode, struct file *file)
{
	struct seq_file *m;

	if (!__seq_open_private(file, &pf_processes_ops,
				sizeof(struct pf_walk)))
		return -ENOMEM;
	/* A larger buffer, as single_open_size() sets it (fs/seq_file.c). */
	m = file->private_data;
	m->buf = kvmalloc(PF_PROCESSES_BUFFER, GFP_KERNEL_ACCOUNT);
	if (!m->buf) {
		seq_release_private(inode, file);
		return -ENOMEM;
	}
	m->size = PF_PROCESSES_BUFFER;
	return 0;
}

const struct file_operations pf_processes_fops = {
	.owner = THIS_MODULE,
	.open = pf_processes_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};
