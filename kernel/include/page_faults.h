/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/**
 * DOC: The contract between the page_faults kernel module and its readers
 *
 * This header is the only thing that the module and its readers share. It
 * defines the directory, the files, the format version, the columns and the
 * keys, and it describes the grammar. It has no structures, and can be included
 * from C and from C++.
 *
 * Directory
 * ---------
 * The files are in PF_DEBUGFS_DIR below the mount point of debugfs, usually
 * /sys/kernel/debug/page_faults. They have mode 0400 and cannot be written, so
 * that debugfs_locked_down() (fs/debugfs/file.c) permits reading them under
 * Secure Boot lockdown. The module is controlled by module parameters.
 *
 * Version
 * -------
 * PF_FORMAT_VERSION is raised when a reader of the previous version would
 * misread the text. Removing or redefining a column or a key raises it. Adding a
 * column, a key or a file does not raise it: readers find columns and keys by
 * name, ignore the ones they do not know, and treat an absent one as "not
 * offered" and not as an error.
 *
 * ``processes``
 * -------------
 * ::
 *
 *   file    = magic header *row trailer
 *   magic   = "# page_faults " version LF      ; version is a decimal integer
 *   header  = name *(TAB name) LF
 *   row     = field *(TAB field) LF            ; as many as the header has
 *   trailer = "# end rows=" count LF           ; count is the number of rows
 *
 * A text without its trailer, or with another number of rows, is truncated. A
 * row is one process (a thread group). The rows are in no particular order, and
 * no process has two. When the module is loaded, every process that has an mm
 * gets a row with all counters 0. A process that starts later gets its row at
 * its first fault. Kernel threads have no row. Numbers are decimal and unsigned,
 * without a sign or leading zeros.
 *
 * A process is identified by (PF_COL_PID, PF_COL_START_NS), because pids are
 * reused.
 *
 * PF_COL_COMM is the last column. Any user can put any byte into it, so it is
 * escaped: a backslash as ``\\``, a newline as ``\n``, a tab as ``\t``, every
 * other byte outside 0x20..0x7e as a backslash and three octal digits. A reader
 * turns the escapes back into bytes, keeps valid UTF-8 and replaces the rest by
 * U+FFFD.
 *
 * PF_COL_MAJOR is what the kernel itself calls a major fault: its last call of
 * handle_mm_fault returns VM_FAULT_MAJOR (the page was read from a disk or from
 * swap), or has the flag FAULT_FLAG_TRIED because the fault was retried. Since
 * Linux 6.4 a retry that only changes from the lock of the VMA to mmap_lock does
 * not set the flag. A fault is retried for many reasons, for instance because it
 * waited for a userfaultfd or for a FUSE server.
 *
 * PF_COL_SLOW_1MS to PF_COL_SLOW_1S count completed faults that took longer than
 * the bound in the name. The time of a fault is that of the file latency: all its
 * time inside handle_mm_fault, its retries included. A column includes the next
 * ones, as the buckets of a cumulative histogram do: a fault of 20 ms counts in
 * slow_1ms and in slow_10ms. So the columns must not be added up.
 *
 * PF_COL_BREAKDOWN is the joint distribution of the row's faults, without the
 * zeros. It is "-" if the row has no faults. Otherwise it is a list, separated by
 * commas, of ``<s><a><k>=<count>``: s is one of PF_BREAKDOWN_SEVERITIES (minor,
 * Major), a is one of PF_BREAKDOWN_ACCESSES (read, write, exec) and k is one of
 * PF_BREAKDOWN_KINDS (anon, file, shmem, hugetlb), e.g. ``mwa=812,Mrf=3``. The
 * counts add up to PF_COL_FAULTS.
 *
 * PF_COL_HUGETLB_KB is the memory in huge pages of hugetlb; none of the RSS
 * columns includes it. A kernel without hugetlb (CONFIG_HUGETLB_PAGE) does not
 * offer it.
 *
 * PF_COL_CGROUP is the id of the process's control group in the unified hierarchy
 * (version 2): the inode number of the group's directory, wherever cgroup2 is
 * mounted. 1 is the root. If the host uses only version 1, every process has id 1.
 * It is 0 if the kernel has no control groups (CONFIG_CGROUPS), or if the module has
 * missed the exit. It is the group of the process's first thread, which
 * /proc/PID/cgroup shows, also if other threads are in threaded groups below. A first
 * thread that has exited before the others stays in its group, also if the others are
 * moved. An exited process keeps the group that its first thread was in when that
 * exited, also after the group is removed: the kernel does not use an id again.
 *
 * With the module parameter latency=0 neither PF_COL_STALL_NS nor the slow_*
 * columns, nor their keys in stats, nor PF_KEY_CLOCK are offered.
 *
 * ``stats``
 * ---------
 * Lines of ``key SP value LF``. PF_KEY_VERSION comes first. The last line is
 * ``end`` SP the number of lines before it. Every counter column (PF_COL_FAULTS
 * to PF_COL_SLOW_1S) appears three times:
 *
 * - as a key of the same name: the sum over all processes since load, which is
 *   counted independently of the rows;
 * - as PF_KEY_RETIRED_PREFIX + name: the counts of rows that were dropped, and
 *   of groups that have no row (kernel threads, and groups that were already
 *   dying at their first fault);
 * - as PF_KEY_OVERFLOW_PREFIX + name: the counts of processes that found the
 *   table full.
 *
 * PF_KEY_HOOK says how the module sees the calls of handle_mm_fault. If it chose
 * the return probe by itself (hook=auto), PF_KEY_HOOK_REASON says why it is no
 * direct call: a sentence without its full stop.
 *
 * At rest, for every counter: global = sum of rows + retired + overflow.
 *
 * A process whose threads fault on several CPUs can have a block: counters of its
 * own for each CPU, so that the CPUs do not wait for each other. PF_COL_BY_CPU is 1
 * if the process has one. PF_KEY_BLOCKS is the number of blocks there can be: the
 * module parameter blocks, or less if there was not enough memory, or 0 on a single
 * CPU. PF_KEY_BLOCKS_USED is the number that are not free; it includes those that
 * are just taken back. The module adds the counters of a block to the row, so that
 * a row means the same with and without a block.
 *
 * ``latency``
 * -----------
 * ::
 *
 *   file    = magic header *bucket infinity sum count trailer
 *   header  = "le_ns" TAB "minor" TAB "major" LF
 *   bucket  = bound TAB n TAB n LF             ; faults that took <= bound ns
 *   infinity= "inf" TAB n TAB n LF
 *   sum     = "sum" TAB ns TAB ns LF
 *   count   = "count" TAB n TAB n LF
 *
 * The buckets are cumulative, and their bounds are powers of two. The time of a
 * fault is all the time it spent inside handle_mm_fault until it completed, its
 * retries included. "count" equals the counter of the same severity. The count in
 * the trailer is the number of lines between header and trailer.
 *
 * The trace event
 * ---------------
 * PF_EVENT_SYSTEM:PF_EVENT_FAULT fires for a part of the completed faults, in the
 * thread that faults; ``format`` in tracefs has the layout of its fields.
 *
 * - address: the address that faulted; ip: the instruction of the program that it
 *   is in, 0 for a thread that runs in the kernel alone
 * - ns: how long the fault took, as in the file latency; 0 with latency=0
 * - slow: 1 if it fires because the fault was slow, else 0
 * - weight: for how many faults this event stands, itself included. perf counts as
 *   many faults, and takes it as the period of a sample. Who samples by
 *   perf_event_open() sets sample_period to 1 and PERF_SAMPLE_PERIOD: without the
 *   latter, perf gives as many samples as the weight says
 * - cgroup: as PF_COL_CGROUP
 * - dev, inode, page: of a mapping of a file, its device (major << 20 | minor), its
 *   inode number and the page of the file; 0 for another mapping
 * - severity, access, kind: an index into PF_BREAKDOWN_SEVERITIES,
 *   PF_BREAKDOWN_ACCESSES, PF_BREAKDOWN_KINDS; origin: 0 is PF_COL_USER, 1 is
 *   PF_COL_KERNEL, 2 is PF_COL_REMOTE
 *
 * It fires at most once for a fault: for each that takes longer than the module
 * parameter slow_us, and for every Nth of the other faults of a CPU, where N is the
 * module parameter sample. A CPU with more than a hundred slow faults in a second
 * leaves some out. The weights of the slow ones add up to their number, and so do
 * those of the others.
 */
#ifndef PAGE_FAULTS_H
#define PAGE_FAULTS_H

#define PF_FORMAT_VERSION	1

/* Directory below the debugfs mount, and its files. */
#define PF_DEBUGFS_DIR		"page_faults"
#define PF_FILE_PROCESSES	"processes"
#define PF_FILE_STATS		"stats"
#define PF_FILE_LATENCY		"latency"

/* The trace event. */
#define PF_EVENT_SYSTEM		"page_faults"
#define PF_EVENT_FAULT		"fault"

/* First and last line of a table. */
#define PF_MAGIC		"# page_faults "
#define PF_TRAILER		"# end rows="

/* Columns of processes. */
#define PF_COL_PID		"pid"		/* tgid, initial pid namespace */
#define PF_COL_START_NS		"start_ns"	/* boot time of its start, ns */
#define PF_COL_STATE		"state"		/* PF_STATE_* */
#define PF_COL_BY_CPU		"by_cpu"	/* 1 if it has a block, else 0 */
#define PF_COL_VMA_KB		"vma_kb"	/* sum of the VMAs' sizes, VmSize */
#define PF_COL_RSS_KB		"rss_kb"	/* = anon + file + shmem */
#define PF_COL_RSS_ANON_KB	"rss_anon_kb"
#define PF_COL_RSS_FILE_KB	"rss_file_kb"
#define PF_COL_RSS_SHMEM_KB	"rss_shmem_kb"
#define PF_COL_SWAP_KB		"swap_kb"
#define PF_COL_HUGETLB_KB	"hugetlb_kb"	/* HugetlbPages of status */
#define PF_COL_FAULTS		"faults"	/* completed = minor + major */
#define PF_COL_MINOR		"minor"
#define PF_COL_MAJOR		"major"
#define PF_COL_READ		"read"		/* read + write + exec = faults */
#define PF_COL_WRITE		"write"
#define PF_COL_EXEC		"exec"
#define PF_COL_USER		"user"		/* user + kernel + remote = faults */
#define PF_COL_KERNEL		"kernel"	/* by the kernel, in its own mm */
#define PF_COL_REMOTE		"remote"	/* in another mm, or exec's new one */
#define PF_COL_ANON		"anon"		/* anon + file + shmem + hugetlb */
#define PF_COL_FILE		"file"		/*   = faults, by kind of VMA */
#define PF_COL_SHMEM		"shmem"
#define PF_COL_HUGETLB		"hugetlb"
#define PF_COL_RETRIED		"retried"	/* calls that completed no fault: */
#define PF_COL_SIGBUS		"sigbus"	/*   to be retried, or an error */
#define PF_COL_SIGSEGV		"sigsegv"
#define PF_COL_OOM		"oom"
#define PF_COL_HWPOISON		"hwpoison"
#define PF_COL_STALL_NS		"stall_ns"	/* time inside handle_mm_fault */
#define PF_COL_SLOW_1MS		"slow_1ms"	/* faults that took over 1 ms; */
#define PF_COL_SLOW_10MS	"slow_10ms"	/*   each of these columns */
#define PF_COL_SLOW_100MS	"slow_100ms"	/*   includes the next ones */
#define PF_COL_SLOW_1S		"slow_1s"
#define PF_COL_BREAKDOWN	"breakdown"	/* joint distribution, see above */
#define PF_COL_CGROUP		"cgroup"	/* id of its control group, see above */
#define PF_COL_COMM		"comm"		/* leader's name, escaped, last */

#define PF_STATE_LIVE		"live"
#define PF_STATE_EXITED		"exited"

#define PF_DETAIL_FULL		"full"		/* the only value */

#define PF_HOOK_NAME_DIRECT	"direct"	/* a direct call, as BPF's fexit */
#define PF_HOOK_NAME_KRETPROBE	"kretprobe"	/* a return probe */

#define PF_CLOCK_NAME_TSC	"tsc"		/* the TSC, read directly */
#define PF_CLOCK_NAME_LOCAL	"local"		/* local_clock() */

/* Letters of PF_COL_BREAKDOWN, in the order of the columns above. */
#define PF_BREAKDOWN_SEVERITIES	"mM"
#define PF_BREAKDOWN_ACCESSES	"rwx"
#define PF_BREAKDOWN_KINDS	"afsh"

/* Keys of stats, besides those of the counter columns. */
#define PF_KEY_VERSION		"version"	/* PF_FORMAT_VERSION */
#define PF_KEY_MODULE_VERSION	"module_version"
#define PF_KEY_DETAIL		"detail"	/* PF_DETAIL_FULL */
#define PF_KEY_LOADED_NS	"loaded_ns"	/* boot time of the load, ns */
#define PF_KEY_CAPACITY		"capacity"	/* rows in the table, used or free */
#define PF_KEY_LIVE		"live"		/* rows of living processes */
#define PF_KEY_EXITED		"exited"	/* rows of exited processes */
#define PF_KEY_RETIRED_ROWS	"retired_rows"	/* rows dropped since load */
#define PF_KEY_HOOK		"hook"		/* PF_HOOK_NAME_* */
#define PF_KEY_HOOK_REASON	"hook_reason"	/* why not direct, see above */
#define PF_KEY_BLOCKS		"blocks"	/* blocks that there can be */
#define PF_KEY_BLOCKS_USED	"blocks_used"	/* blocks that are not free */
#define PF_KEY_CLOCK		"clock"		/* PF_CLOCK_NAME_* */
#define PF_KEY_PROBE_MISSED	"probe_missed"	/* calls the probe did not count */
#define PF_KEY_KERNEL_PGFAULT	"kernel_pgfault" /* growth of the event PGFAULT */
#define PF_KEY_DRIFT		"drift"		/* signed: ours minus the kernel's */
#define PF_KEY_ROWS_DIFFER	"rows_differ"	/* live rows that differ from /proc */
#define PF_KEY_RETIRED_PREFIX	"retired_"
#define PF_KEY_OVERFLOW_PREFIX	"overflow_"
#define PF_KEY_END		"end"

/* Columns and labels of latency. */
#define PF_COL_LE_NS		"le_ns"
#define PF_LE_INF		"inf"
#define PF_LE_SUM		"sum"
#define PF_LE_COUNT		"count"

#endif /* PAGE_FAULTS_H */
