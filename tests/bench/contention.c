// SPDX-License-Identifier: Apache-2.0
// Two threads on two CPUs count faults by the module's own code, as threads of
// two processes or of one; see tests/bench/contention. What the module's files
// need from its other files is here.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "call.h"
#include "table_private.h"

#define CALLS 10000
#define ROUNDS 1000
#define ROUNDS_NEEDED 20

// What the module has in table.c, call.c, clock.c and carry.c.
struct pf_table pf_table;
struct pf_index pf_table_index;
DEFINE_PER_CPU(struct pf_cpu_tally, pf_table_global);
DEFINE_PER_CPU(struct pf_entry *, pf_table_last);
DEFINE_PER_CPU(struct pf_histogram[PF_SEVERITIES], pf_latency_histogram);
const struct address_space_operations *pf_call_shmem_aops;
struct pf_carry_pending pf_carry_pending;

struct pf_tally *pf_table_insert(struct task_struct *task, struct pid *pid) {
  (void)task, (void)pid;
  abort();  // every process has its entry
}

void pf_call_unfinished(const struct pf_call *call, vm_fault_t ret,
                         enum pf_clock clock) {
  (void)call, (void)ret, (void)clock;
  abort();  // every call completes its fault
}

u64 pf_call_time_slow(const struct pf_call *call, struct pf_tally *tally,
                       enum pf_severity severity, s64 elapsed) {
  (void)call, (void)tally, (void)severity, (void)elapsed;
  abort();  // every call is fast
}

// What the kernel has.
DEFINE_PER_CPU(struct vm_event_state, vm_event_states);
char *thread_pointers[NR_CPUS];
__thread ptrdiff_t this_cpu_off;
__thread int this_cpu;
__thread struct task_struct *current;
unsigned long jiffies;

void *__alloc_percpu_gfp(size_t size, size_t align, int gfp) {
  static char *units;
  static size_t used;
  (void)gfp;
  if (!units) units = aligned_alloc(4096, NR_CPUS * PER_CPU_UNIT);
  used = (used + align - 1) & ~(align - 1);
  if (!units || used + size > PER_CPU_UNIT) return NULL;
  for (int cpu = 0; cpu < NR_CPUS; cpu++)
    memset(units + cpu * PER_CPU_UNIT + used, 0, size);
  used += size;
  return units + used - size;
}

// Two processes.
static struct signal_struct groups[2];
static struct task_struct tasks[2];
static struct pid pids[2];
static struct pf_entry entries[2];
static struct hlist_head buckets[16];
static struct vm_area_struct vma;

static void make_processes(void) {
  pf_table_index.buckets = buckets;
  pf_table_index.shift = 60;
  for (int i = 0; i < 2; i++) {
    pids[i].task = &tasks[i];
    groups[i].pid = &pids[i];
    groups[i].nr_threads = 2;
    tasks[i].signal = &groups[i];
    entries[i].pid = &pids[i];
    entries[i].state = PF_ENTRY_LIVE;
    struct hlist_head *bucket = pf_table_bucket(&pids[i]);
    entries[i].node.next = bucket->first;
    bucket->first = &entries[i].node;
  }
}

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// One thread's part of a round: when it ran, and its CPU time.
struct part {
  double start, end, cpu;
};
static struct part parts[NR_CPUS];
static struct task_struct *runs[NR_CPUS];  // NULL: the threads end
static pthread_barrier_t barrier;
static _Atomic int ready;

static __attribute__((noinline)) void count_faults(void) {
  for (int i = 0; i < CALLS; i++) {
    struct pf_call call;
    pf_call_note(&call, &vma, 4096, FAULT_FLAG_WRITE | FAULT_FLAG_USER,
                  PF_CLOCK_LOCAL, false);
    // Stands for handle_mm_fault, which may change any memory.
    __asm__ volatile("" : : "r"(&call) : "memory");
    pf_call_result(&call, 0, PF_CLOCK_LOCAL);
  }
}

static void *thread(void *arg) {
  const int cpu = (int)(intptr_t)arg;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set)) abort();
  // Before all others, if that is permitted. A round takes some milliseconds.
  const struct sched_param first = {.sched_priority = 1};
  sched_setscheduler(0, SCHED_FIFO, &first);
  this_cpu = cpu;
  this_cpu_off = cpu * PER_CPU_UNIT;
  thread_pointers[cpu] = __builtin_thread_pointer();
  while (pthread_barrier_wait(&barrier), runs[cpu]) {
    current = runs[cpu];
    vm_event_states.event[PGFAULT]++;
    ready++;
    while (ready < NR_CPUS) {
    }
    const double cpu_time = seconds(CLOCK_THREAD_CPUTIME_ID);
    parts[cpu].start = seconds(CLOCK_MONOTONIC);
    count_faults();
    parts[cpu].end = seconds(CLOCK_MONOTONIC);
    parts[cpu].cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_time;
    pthread_barrier_wait(&barrier);
  }
  return NULL;
}

static void run(struct task_struct *first, struct task_struct *second) {
  runs[0] = first;
  runs[1] = second;
  ready = 0;
  pthread_barrier_wait(&barrier);
  if (first) pthread_barrier_wait(&barrier);
}

// Whether both threads had their CPUs all the time, and at the same time.
static bool is_valid(void) {
  double start = 0, end = 0;
  for (int i = 0; i < NR_CPUS; i++) {
    const struct part *p = &parts[i];
    if (p->cpu < 0.95 * (p->end - p->start)) return false;
    if (!i || p->start > start) start = p->start;
    if (!i || p->end < end) end = p->end;
  }
  return end - start > 0.9 * (parts[0].end - parts[0].start) &&
         end - start > 0.9 * (parts[1].end - parts[1].start);
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

enum which { TWO_PROCESSES, WITH_BLOCK, WITHOUT_BLOCK, KINDS };
static const char *const names[KINDS] = {
    "two threads of two processes", "two threads of one process",
    "two threads of one process, no block left"};

// The median of the rounds in which nobody disturbed the threads, in ns a call.
// The kinds take turns, so that all have the same disturbance.
static double ns[KINDS][ROUNDS];
static int rounds[KINDS];

static void round_of(enum which kind, struct task_struct *first,
                     struct task_struct *second) {
  run(first, second);
  if (!is_valid()) return;
  const double both = parts[0].cpu + parts[1].cpu;
  ns[kind][rounds[kind]++] = 1e9 * both / 2 / CALLS;
}

// The worker finds that two CPUs count into an entry, and gives it a block if
// the pool has one.
static void look(int i, bool expected) {
  run(&tasks[i], &tasks[i]);
  jiffies += 2 * HZ;
  pf_blocks_assign();
  if (!!entries[i].cpu_tally == expected) return;
  fprintf(stderr, "contention: the worker gave %s block\n",
          expected ? "no" : "a");
  exit(1);
}

// The worker takes the block back when the process is gone.
static void take_back(void) {
  entries[0].state = PF_ENTRY_EXITED;
  if (!pf_blocks_leave()) abort();
  pf_blocks_settle();
  pf_blocks_leave();
  pf_blocks_settle();
  entries[0].state = PF_ENTRY_LIVE;
}

static void measure(void) {
  for (int i = 0; i < ROUNDS; i++) {
    round_of(TWO_PROCESSES, &tasks[0], &tasks[1]);
    look(0, true);
    round_of(WITH_BLOCK, &tasks[0], &tasks[0]);
    look(1, false);
    round_of(WITHOUT_BLOCK, &tasks[1], &tasks[1]);
    take_back();
  }
}

static int report(void) {
  double median[KINDS];
  for (int i = 0; i < KINDS; i++) {
    if (rounds[i] < ROUNDS_NEEDED) {
      fprintf(stderr, "contention: only %d of %d rounds had both CPUs: %s\n",
              rounds[i], ROUNDS, names[i]);
      return 1;
    }
    qsort(ns[i], (size_t)rounds[i], sizeof(double), compare);
    median[i] = ns[i][rounds[i] / 2];
  }
  printf("what\tns a call\tratio\n");
  for (int i = 0; i < KINDS; i++)
    printf("%s\t%.1f\t%.2f\n", names[i], median[i],
           median[i] / median[TWO_PROCESSES]);
  if (median[WITHOUT_BLOCK] < 2 * median[TWO_PROCESSES]) {
    fprintf(stderr,
            "contention: blind: sharing costs nothing on this machine\n");
    return 1;
  }
  if (median[WITH_BLOCK] > 1.15 * median[TWO_PROCESSES]) {
    fprintf(stderr, "contention: the threads wait for each other\n");
    return 1;
  }
  return 0;
}

// Every call was counted: in the row, and for each CPU.
static bool all_counted(void) {
  struct pf_tally sum;
  u64 global = 0, faults;
  pf_tally_clear(&sum);
  for (int i = 0; i < 2; i++) pf_tally_merge(&sum, &entries[i].tally);
  for (int cpu = 0; cpu < NR_CPUS; cpu++)
    for (int i = PF_COUNTER_CELLS; i < PF_COUNTERS; i++)
      global += per_cpu(pf_table_global, cpu).n[i];
  struct pf_sums sums;
  pf_tally_sum(&sum, &sums);
  faults = sums.v[PF_SUM_FAULTS];
  if (faults == global && faults == 10ull * ROUNDS * CALLS) return true;
  fprintf(stderr, "contention: counted %llu in rows, %llu by CPU\n",
          (unsigned long long)faults, (unsigned long long)global);
  return false;
}

int main(void) {
  pthread_t threads[NR_CPUS];
  make_processes();
  if (pf_blocks_init(1)) abort();
  pthread_barrier_init(&barrier, NULL, NR_CPUS + 1);
  for (intptr_t i = 0; i < NR_CPUS; i++)
    pthread_create(&threads[i], NULL, thread, (void *)i);
  measure();
  const bool good = all_counted();
  run(NULL, NULL);
  for (int i = 0; i < NR_CPUS; i++) pthread_join(threads[i], NULL);
  return good ? report() : 1;
}
