// SPDX-License-Identifier: Apache-2.0
// Storms of memory: out of memory, huge pages, swap, mappings that change while
// threads fault in them.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "module.h"
#include "page_faults.h"
#include "sleepers.h"
#include "storm_kit.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace pf_test {
namespace {

constexpr size_t kHuge = 2 << 20;

thread_local sigjmp_buf t_jump;

void JumpOn(int signal) {
  struct sigaction action {};
  action.sa_handler = [](int) { siglongjmp(t_jump, 1); };
  action.sa_flags = SA_NODEFER;
  sigaction(signal, &action, nullptr);
}

// Writes a byte; returns too if a signal says that it cannot be written.
__attribute__((noinline)) void TryToWrite(char* memory) {
  if (sigsetjmp(t_jump, 1) == 0) *static_cast<volatile char*>(memory) = 1;
}

char* HugeAligned(size_t size) {
  char* memory = MapPages((size + kHuge) / kPage);
  return reinterpret_cast<char*>(
      (reinterpret_cast<uintptr_t>(memory) + kHuge - 1) & ~(kHuge - 1));
}

// Huge pages are split by an unmapped, a protected and a dropped range, and
// collapsed again.
TEST(StormQuick, HugePagesSplitAndCollapse) {
  const Setting enabled("/sys/kernel/mm/transparent_hugepage/enabled",
                        "madvise");
  ASSERT_TRUE(enabled.set());
  Subject subject([] {
    constexpr size_t kSize = 4 * kHuge;
    for (int i = 0; i < 5; ++i) {
      char* memory = HugeAligned(kSize);
      madvise(memory, kSize, MADV_HUGEPAGE);
      memset(memory, 1, kSize);
      mprotect(memory + 8 * kPage, kPage, PROT_READ);
      munmap(memory + kHuge + 5 * kPage, kPage);
      madvise(memory + 2 * kHuge + kPage, 9 * kPage, MADV_DONTNEED);
      WritePages(memory + 2 * kHuge, kHuge / kPage);
      madvise(memory + 2 * kHuge, kHuge, MADV_COLLAPSE);
      WritePages(memory + 3 * kHuge, 10);
      munmap(memory, kSize);
    }
  });
  subject.Act();
  EXPECT_EQ(RowError(subject.pid()), "");
}

// The processes want more huge pages than there are: some get SIGBUS.
TEST(StormQuick, HugetlbRunsOut) {
  const Setting pages("/proc/sys/vm/nr_hugepages", "8");
  ASSERT_TRUE(pages.set());
  const auto ended = RunAtOnce(4, [](int) {
    JumpOn(SIGBUS);
    char* memory = MapPages(6 * kHuge / kPage, MAP_HUGETLB | MAP_NORESERVE);
    for (size_t i = 0; i < 6; ++i) TryToWrite(memory + i * kHuge);
    usleep(200000);  // keeps its pages, so that there are not enough for all
  });
  EXPECT_TRUE(AllSucceeded(ended));
  for (const Ended& child : ended) EXPECT_EQ(EndedRowError(child), "");
  EXPECT_GT(StatsNumber(ReadStats(), PF_COL_HUGETLB), 0);
  EXPECT_GT(StatsNumber(ReadStats(), PF_COL_SIGBUS), 0);
}

// A VMA is unmapped, mapped again and protected while threads fault in it.
TEST(StormQuick, MappingsChangeUnderFaults) {
  const auto ended = RunAtOnce(4, [](int) {
    static char* memory;
    memory = MapPages(64);
    JumpOn(SIGSEGV);
    for (int i = 0; i < 3; ++i)
      std::thread([] {
        for (size_t page = 0;; ++page) TryToWrite(memory + page % 64 * kPage);
      }).detach();
    for (int i = 0; i < 200; ++i) {
      munmap(memory, 32 * kPage);
      if (mmap(memory, 32 * kPage, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        _exit(1);
      mprotect(memory + 32 * kPage, 16 * kPage,
               i % 2 ? PROT_NONE : PROT_READ | PROT_WRITE);
      madvise(memory + 40 * kPage, 8 * kPage, MADV_DONTNEED);
    }
    _exit(0);
  });
  EXPECT_TRUE(AllSucceeded(ended));
  for (const Ended& child : ended) EXPECT_EQ(EndedRowError(child), "");
}

// Parent and child write to the same pages, so that each copies them.
TEST(StormQuick, CopyOnWrite) {
  const auto ended = RunAtOnce(4, [](int) {
    char* memory = MapPages(256);
    WritePages(memory, 256);
    for (int i = 0; i < 10; ++i) {
      const pid_t child = fork();
      WritePages(memory, 256);
      if (child == 0) _exit(0);
      waitpid(child, nullptr, 0);
    }
  });
  EXPECT_TRUE(AllSucceeded(ended));
}

// A mapped file is truncated.
TEST(StormQuick, FileCutUnderItsMapping) {
  const auto ended = RunAtOnce(3, [](int i) {
    JumpOn(SIGBUS);
    const int fd = open(Disk("cut" + std::to_string(i)).c_str(),
                        O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, 64 * kPage)) _exit(1);
    char* memory = static_cast<char*>(
        mmap(nullptr, 64 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    for (int round = 0; round < 10; ++round)
      for (size_t page = 0; page < 64; ++page) {
        if (page == 20 && ftruncate(fd, 10 * kPage)) _exit(2);
        TryToWrite(memory + page * kPage);
        if (page == 40 && ftruncate(fd, 64 * kPage)) _exit(3);
      }
    unlink(Disk("cut" + std::to_string(i)).c_str());
  });
  EXPECT_TRUE(AllSucceeded(ended));
  for (const Ended& child : ended) EXPECT_EQ(EndedRowError(child), "");
  EXPECT_GE(StatsNumber(ReadStats(), PF_COL_SIGBUS), 3 * 10 * 20);
}

TEST(StormSlow, OutOfMemory) {
  const QuietConsole quiet;  // the OOM killer prints a call trace
  const Ended child = RunToEnd([] {
    WriteFile("/proc/self/oom_score_adj", "1000");
    for (;;) WritePages(MapPages(4096), 4096);
  });
  EXPECT_TRUE(WIFSIGNALED(child.status));
  EXPECT_EQ(WTERMSIG(child.status), SIGKILL);
  EXPECT_EQ(EndedRowError(child), "");
}

TEST(StormSlow, OutOfMemoryInACgroup) {
  const QuietConsole quiet;
  Cgroup group("small");
  ASSERT_TRUE(group.Set("memory.max", "16M"));
  group.Set("memory.swap.max", "0");
  const auto ended = RunAtOnce(4, [&group](int) {
    if (!group.Enter()) _exit(1);
    std::thread([] {
      for (;;) FaultRound();
    }).detach();
    for (;;) WritePages(MapPages(256), 256);
  });
  for (const Ended& child : ended) {
    EXPECT_TRUE(WIFSIGNALED(child.status)) << child.status;
    EXPECT_EQ(EndedRowError(child), "");
  }
}

// The processes write to three times the memory that their group may use.
TEST(StormSlow, SwapThrash) {
  SwapFile swap(64);
  ASSERT_TRUE(swap.on()) << strerror(errno);
  Cgroup group("thrash");
  ASSERT_TRUE(group.Set("memory.max", "12M"));
  const auto ended = RunAtOnce(3, [&group](int) {
    if (!group.Enter()) _exit(1);
    constexpr size_t kPages = 3072;
    char* memory = MapPages(kPages);
    madvise(memory, kPages * kPage, MADV_NOHUGEPAGE);
    for (int round = 0; round < 2; ++round) WritePages(memory, kPages);
  });
  EXPECT_TRUE(AllSucceeded(ended));
  for (const Ended& child : ended) EXPECT_EQ(EndedRowError(child), "");
  EXPECT_GT(ReadTable().Sum(PF_COL_MAJOR), 100u);
}

// The page cache is dropped and memory is compacted while processes fault in a
// file.
TEST(StormSlow, CachesDroppedAndMemoryCompacted) {
  const std::string path = Disk("cold");
  {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const std::vector<char> megabyte(1 << 20, 1);
    for (int i = 0; i < 8; ++i)
      ASSERT_EQ(write(fd, megabyte.data(), megabyte.size()), 1 << 20);
    fsync(fd);
    close(fd);
  }
  Crowd crowd(3, [&path] {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    char* memory = static_cast<char*>(
        mmap(nullptr, 8 << 20, PROT_READ, MAP_SHARED, fd, 0));
    for (size_t i = 0; i < 8 << 20; i += kPage)
      static_cast<void>(static_cast<volatile char*>(memory)[i]);
    munmap(memory, 8 << 20);
    close(fd);
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(WriteFile("/proc/sys/vm/drop_caches", "3"));
    EXPECT_TRUE(WriteFile("/proc/sys/vm/compact_memory", "1"));
    usleep(50000);
  }
  EXPECT_GT(ReadTable().Sum(PF_COL_MAJOR), 0u);
  crowd.Kill();
  unlink(path.c_str());
}

// KSM merges equal pages, and the next write copies them.
TEST(StormSlow, PagesMerged) {
  const Setting run("/sys/kernel/mm/ksm/run", "1");
  if (!run.set()) GTEST_SKIP() << "no KSM in this kernel";
  const Setting pages("/sys/kernel/mm/ksm/pages_to_scan", "5000");
  const auto ended = RunAtOnce(2, [](int) {
    char* memory = MapPages(1000);
    madvise(memory, 1000 * kPage, MADV_MERGEABLE);
    for (int i = 0; i < 5; ++i) {
      memset(memory, i, 1000 * kPage);
      usleep(300000);
    }
  });
  EXPECT_TRUE(AllSucceeded(ended));
  for (const Ended& child : ended) EXPECT_EQ(EndedRowError(child), "");
}

TEST(StormSlow, AThousandThreadsAsleepInAFault) {
  static Sleepers* sleepers;
  Subject subject([] { sleepers = new Sleepers(1000); },
                  [] { sleepers->Wake(); });
  // A reader does not wait for threads that sleep in a fault.
  const Table table = ReadTable();
  const Row* row = table.FindOne(subject.pid());
  ASSERT_NE(row, nullptr);
  EXPECT_GT(row->Number(PF_COL_RSS_KB), 0u);
  {
    Crowd crowd(2, FaultRound);
    usleep(300000);
  }
  subject.Act();
  EXPECT_EQ(RowError(subject.pid()), "");
  EXPECT_GE(ReadTable().FindOne(subject.pid())->Number(PF_COL_RETRIED), 1000u);
}

TEST(StormSlow, KilledAsleepInAFault) {
  for (int i = 0; i < 5; ++i) {
    static std::unique_ptr<Sleepers> sleepers;
    Subject subject([] { sleepers = std::make_unique<Sleepers>(50); }, [] {});
    // The destructor kills the subject.
  }
}

// The probe is removed while calls are under way. They return without it.
TEST(StormReload, UnloadWithThreadsAsleepInAFault) {
  static Sleepers* sleepers;
  for (int i = 0; i < 10; ++i) {
    Subject subject([] { sleepers = new Sleepers(60); },
                    [] { sleepers->Wake(); });
    ASSERT_EQ(UnloadPatiently(), 0);
    if (i % 2) {
      ASSERT_EQ(LoadModule(DefaultParameters()), 0);
    }
    subject.Act();
    if (!ModuleIsLoaded()) {
      ASSERT_EQ(LoadModule(DefaultParameters()), 0);
    }
  }
}

}  // namespace
}  // namespace pf_test
