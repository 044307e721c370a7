// SPDX-License-Identifier: Apache-2.0
// Stands in for the headers of the kernel, so that the module's counting can be
// compiled for user space. A thread is a CPU: a per-CPU variable is a variable
// of the thread.
#ifndef TESTS_BENCH_CONTENTION_KERNEL_H_
#define TESTS_BENCH_CONTENTION_KERNEL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#define NR_CPUS 2
#define HZ 250
#define NSEC_PER_MSEC 1000000L

// A kernel of a version whose API the stand-ins below have.
#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))
#define LINUX_VERSION_CODE KERNEL_VERSION(6, 12, 0)
#define CONFIG_DEBUG_FS 1
#define CONFIG_TRACEPOINTS 1
#define CONFIG_KRETPROBES 1
#define CONFIG_VM_EVENT_COUNTERS 1
#define CONFIG_PER_VMA_LOCK 1
#define SMP_CACHE_BYTES 64
#define TASK_COMM_LEN 16
#define GOLDEN_RATIO_64 0x61C8864680B583EBull
typedef int gfp_t;
#define GFP_KERNEL 0
#define __GFP_NORETRY 0
#define __GFP_NOWARN 0
#define PAGE_SIZE 4096ul
#define PAGE_SHIFT 12
#define ENOMEM 12

typedef uint64_t u64;
typedef int64_t s64;
typedef uint32_t u32;
typedef unsigned int vm_fault_t;

#define __percpu
#define __ro_after_init
#define ____cacheline_aligned __attribute__((aligned(SMP_CACHE_BYTES)))
#define ____cacheline_aligned_in_smp ____cacheline_aligned
#define BIT(n) (1u << (n))
// The trace event is off.
#define DECLARE_TRACEPOINT(name) extern int tracepoint_##name
#define tracepoint_enabled(name) false
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define smp_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define data_race(x) (x)
#define container_of(p, type, member) \
  ((type *)((char *)(p)-offsetof(type, member)))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define ALIGN(n, to) (((n) + (to)-1) / (to) * (to))

// Atomic operations, as on x86: a locked addition.
typedef struct {
  int counter;
} atomic_t;
typedef struct {
  s64 counter;
} atomic64_t;
static inline int atomic_read(const atomic_t *v) {
  return READ_ONCE(v->counter);
}
static inline s64 atomic64_read(const atomic64_t *v) {
  return READ_ONCE(v->counter);
}
static inline void atomic64_set(atomic64_t *v, s64 i) {
  WRITE_ONCE(v->counter, i);
}
static inline void atomic64_add(s64 i, atomic64_t *v) {
  __atomic_fetch_add(&v->counter, i, __ATOMIC_RELAXED);
}

// Lists.
struct list_head {
  struct list_head *next, *prev;
};
static inline void INIT_LIST_HEAD(struct list_head *head) {
  head->next = head->prev = head;
}
static inline bool list_empty(const struct list_head *head) {
  return head->next == head;
}
static inline void list_add_tail(struct list_head *entry,
                                 struct list_head *head) {
  entry->prev = head->prev;
  entry->next = head;
  head->prev->next = entry;
  head->prev = entry;
}
static inline void list_move(struct list_head *entry, struct list_head *head) {
  entry->prev->next = entry->next;
  entry->next->prev = entry->prev;
  list_add_tail(entry, head);
}
#define list_first_entry_or_null(head, type, member) \
  (list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_first_entry(head, type, member) \
  container_of((head)->next, type, member)
#define list_for_each_entry_safe(pos, n, head, member)              \
  for (pos = container_of((head)->next, __typeof__(*pos), member),  \
      n = container_of(pos->member.next, __typeof__(*pos), member); \
       &pos->member != (head);                                      \
       pos = n, n = container_of(n->member.next, __typeof__(*n), member))

struct hlist_node {
  struct hlist_node *next, **pprev;
};
struct hlist_head {
  struct hlist_node *first;
};
#define hlist_entry_or_null(p, type, member)    \
  ({                                            \
    __typeof__(p) p_ = (p);                     \
    p_ ? container_of(p_, type, member) : NULL; \
  })
#define hlist_for_each_entry_rcu_notrace(pos, head, member)                  \
  for (pos = hlist_entry_or_null(READ_ONCE((head)->first), __typeof__(*pos), \
                                 member);                                    \
       pos; pos = hlist_entry_or_null(READ_ONCE(pos->member.next),           \
                                      __typeof__(*pos), member))

// Variables per CPU. The addresses of a thread's variables have the same
// distance from its thread pointer in every thread.
extern char *thread_pointers[NR_CPUS];
extern __thread ptrdiff_t this_cpu_off;
extern __thread int this_cpu;
#define DECLARE_PER_CPU(type, name) extern __thread __typeof__(type) name
#define DEFINE_PER_CPU(type, name) __thread __typeof__(type) name
#define this_cpu_add(x, n) ((x) += (n))
#define this_cpu_inc(x) ((x)++)
#define this_cpu_read(x) (x)
#define this_cpu_write(x, v) ((x) = (v))
#define per_cpu(x, cpu)                                      \
  (*(__typeof__(x) *)((char *)&(x) + (thread_pointers[cpu] - \
                                      (char *)__builtin_thread_pointer())))
#define this_cpu_ptr(p) ((__typeof__(p))((char *)(p) + this_cpu_off))
#define per_cpu_ptr(p, cpu) ((__typeof__(p))((char *)(p) + (cpu)*PER_CPU_UNIT))
#define PER_CPU_UNIT (1 << 20)
void *__alloc_percpu_gfp(size_t size, size_t align, int gfp);
static inline void free_percpu(void *p) { (void)p; }
static inline void *kvcalloc(size_t n, size_t size, int gfp) {
  (void)gfp;
  return __builtin_calloc(n + 1, size);
}
static inline void kvfree(void *p) { __builtin_free(p); }
#define num_possible_cpus() NR_CPUS
#define totalram_pages() (1ul << 18)
#define nr_cpu_ids NR_CPUS
#define raw_smp_processor_id() this_cpu
#define for_each_possible_cpu(cpu) for (cpu = 0; cpu < NR_CPUS; cpu++)
#define for_each_online_cpu(cpu) for_each_possible_cpu(cpu)
enum { PGFAULT, NR_EVENTS };
struct vm_event_state {
  unsigned long event[NR_EVENTS];
};
DECLARE_PER_CPU(struct vm_event_state, vm_event_states);

// One thread, the worker, is all that takes the lock and reads under RCU.
typedef struct {
  int unused;
} raw_spinlock_t;
#define raw_spin_lock_irqsave(lock, flags) ((void)(lock), (void)((flags) = 0))
#define raw_spin_unlock_irqrestore(lock, flags) ((void)(lock), (void)(flags))
#define rcu_read_lock() ((void)0)
#define rcu_read_unlock() ((void)0)
#define cond_resched() ((void)0)

// Time.
extern unsigned long jiffies;
#define time_after(a, b) ((long)((b) - (a)) < 0)
#define time_before(a, b) time_after(b, a)
static inline u64 local_clock(void) {
  static __thread u64 now;
  return now += 100;
}
static inline u64 ktime_get_boottime_ns(void) { return 0; }
static inline unsigned long __fls(unsigned long word) {
  return 63 - (unsigned long)__builtin_clzl(word);
}

// Tasks and mappings, with the members that counting looks at.
struct address_space_operations;
struct address_space {
  const struct address_space_operations *a_ops;
};
struct inode;
struct file {
  struct address_space *f_mapping;
  struct inode *f_inode;
  unsigned int f_mode;
};
struct percpu_counter {
  s64 count;
};
static inline s64 percpu_counter_sum_positive(struct percpu_counter *counter) {
  return counter->count;
}
struct mm_struct {
  struct percpu_counter rss_stat[1];
};
struct super_block {
  dev_t s_dev;
};
struct inode {
  unsigned long i_ino;
  struct super_block *i_sb;
};
const struct inode *file_user_inode(const struct file *file);
static inline const struct inode *file_inode(const struct file *file) {
  return file->f_inode;
}
#define FMODE_BACKING 0x2000000
struct file *shmem_file_setup(const char *name, s64 size, unsigned long flags);
struct vm_area_struct {
  struct mm_struct *vm_mm;
  const void *vm_ops;
  unsigned long vm_flags;
  struct file *vm_file;
  unsigned long vm_start, vm_pgoff;
};
#define VM_HUGETLB 0x00400000
enum {
  FAULT_FLAG_WRITE = 1 << 0,
  FAULT_FLAG_TRIED = 1 << 5,
  FAULT_FLAG_USER = 1 << 6,
  FAULT_FLAG_INSTRUCTION = 1 << 8,
  FAULT_FLAG_VMA_LOCK = 1 << 12,
};
enum {
  VM_FAULT_MAJOR = 0x4,
  VM_FAULT_RETRY = 0x400,
  VM_FAULT_ERROR = 0x873,
};

struct task_struct;
enum pid_type { PIDTYPE_TGID };
struct pid {
  struct task_struct *task;
};
struct signal_struct {
  int nr_threads;
  struct pid *pid;
};
struct task_struct {
  struct mm_struct *mm;
  struct signal_struct *signal;
};
extern __thread struct task_struct *current;
static inline struct pid *task_tgid(struct task_struct *task) {
  return task->signal->pid;
}
static inline struct task_struct *pid_task(struct pid *pid,
                                           enum pid_type type) {
  (void)type;
  return pid->task;
}

#endif  // TESTS_BENCH_CONTENTION_KERNEL_H_
