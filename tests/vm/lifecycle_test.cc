// SPDX-License-Identifier: Apache-2.0
// Processes start, change their names and exit.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "module.h"
#include "page_faults.h"
#include "storm_kit.h"
#include "subject.h"

namespace pf_test {
namespace {

// Longer than any of these tests takes in a slow guest.
const char* const kAnHour = "3600000";

TEST(Lifecycle, ExitedChildrenKeepTheirFinalCounts) {
  ASSERT_TRUE(SetParameter("retain_ms", kAnHour));
  std::vector<Ended> ended;
  for (int i = 0; i < 500; ++i)
    ended.push_back(RunToEnd([i] {
      const size_t size = 4096 * static_cast<size_t>(i % 100 + 1);
      void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      memset(memory, 1, size);
    }));
  for (const Ended& child : ended) EXPECT_EQ(EndedRowError(child), "");
}

TEST(Lifecycle, ForkAndExec) {
  const Ended child = RunToEnd([] {
    execl("/bin/busybox", "busybox", "true", nullptr);
    _exit(1);
  });
  EXPECT_EQ(child.status, 0);
  EXPECT_EQ(EndedRowError(child), "");
  const Table table = ReadTable();
  const Row* row = table.FindOne(child.pid);
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->Text(PF_COL_COMM), "busybox");
  EXPECT_EQ(row->Number(PF_COL_VMA_KB), 0u);
  EXPECT_EQ(row->Number(PF_COL_RSS_KB), 0u);
  if (HasProbe()) {
    EXPECT_GT(row->Number(PF_COL_EXEC), 0u);
  }
}

// The child of vfork() shares its parent's memory until it execs.
TEST(Lifecycle, VforkAndExec) {
  Subject parent([] {},
                 [] {
                   const pid_t pid = vfork();
                   if (pid == 0) {
                     execl("/bin/busybox", "busybox", "true", nullptr);
                     _exit(1);
                   }
                   waitpid(pid, nullptr, 0);
                 });
  parent.Act();
  EXPECT_EQ(RowError(parent.pid()), "");
}

// A thread that execs takes over the pid of its leader.
TEST(Lifecycle, AThreadThatExecs) {
  const Ended child = RunToEnd([] {
    std::thread([] {
      execl("/bin/busybox", "busybox", "true", nullptr);
      _exit(1);
    }).detach();
    for (;;) pause();
  });
  EXPECT_EQ(child.status, 0);
  EXPECT_EQ(EndedRowError(child), "");
}

TEST(Lifecycle, KilledChild) {
  const Ended child = RunToEnd([] { raise(SIGKILL); });
  EXPECT_EQ(EndedRowError(child), "");
}

TEST(Lifecycle, CommIsEscapedAndItsLastOneKept) {
  const Ended child =
      RunToEnd([] { prctl(PR_SET_NAME, "a\tb\nc\\d\xff\x01 \""); });
  const Table table = ReadTable();
  const Row* row = table.FindOne(child.pid);
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->Text(PF_COL_COMM), "a\\tb\\nc\\\\d\\377\\001 \"");
}

TEST(Lifecycle, ExitedRowsRetireAfterTheirTime) {
  ASSERT_TRUE(SetParameter("retain_ms", "0"));
  const Ended child = RunToEnd([] {});
  EXPECT_TRUE(Eventually([&] { return !ReadTable().FindOne(child.pid); }));
  const Stats stats = ReadStats();
  EXPECT_GE(StatsNumber(stats, PF_KEY_RETIRED_ROWS), 1);
  EXPECT_GE(StatsNumber(stats, PF_KEY_RETIRED_PREFIX PF_COL_FAULTS),
            child.usage.ru_minflt);
}

TEST(Lifecycle, FullTableOverflows) {
  UnloadModule();
  ASSERT_EQ(LoadModule(DefaultParameters() + " max_processes=16"), 0);
  std::vector<std::unique_ptr<Subject>> subjects;
  for (int i = 0; i < 20; ++i)
    subjects.push_back(std::make_unique<Subject>([] {}));
  const Stats stats = ReadStats();
  EXPECT_LE(StatsNumber(stats, PF_KEY_LIVE), 16);
  EXPECT_EQ(ReadTable().rows.size(), 16u);
  if (HasProbe()) {
    EXPECT_GT(StatsNumber(stats, PF_KEY_OVERFLOW_PREFIX PF_COL_FAULTS), 0);
  }
  // With totals, a process without a row is counted when it gets one or exits.
  int64_t faults = 0;
  for (auto& subject : subjects) {
    subject->Act();
    const rusage usage = subject->End();
    faults += usage.ru_minflt + usage.ru_majflt;
  }
  EXPECT_GE(StatsNumber(ReadStats(), PF_COL_FAULTS), faults);
}

// A barrier for this number of threads, which can be in several processes.
pthread_barrier_t* SharedBarrier(int threads) {
  auto* barrier = static_cast<pthread_barrier_t*>(
      mmap(nullptr, sizeof(pthread_barrier_t), PROT_READ | PROT_WRITE,
           MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  pthread_barrierattr_t shared;
  pthread_barrierattr_init(&shared);
  pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(barrier, &shared, static_cast<unsigned>(threads));
  return barrier;
}

// Runs processes with this number of threads each. All threads exit at the same
// moment, after the last of them has faulted.
std::vector<Ended> EndAtOnce(int processes, int threads) {
  pthread_barrier_t* all = SharedBarrier(processes * threads);
  auto ended = RunAtOnce(processes, [=](int) {
    const auto work = [all] {
      FaultRound();
      pthread_barrier_wait(all);
      syscall(SYS_exit, 0);
    };
    for (int i = 1; i < threads; ++i) std::thread(work).detach();
    work();
  });
  munmap(all, sizeof(*all));
  return ended;
}

// With totals, a process that finds the table full is counted when it dies. It
// is counted once, even if several of its threads exit at the same time.
TEST(Lifecycle, WhatFindsNoRoomIsCountedOnce) {
  UnloadModule();
  ASSERT_EQ(LoadModule(DefaultParameters() + " max_processes=16"), 0);
  std::vector<std::unique_ptr<Subject>> subjects;
  for (int i = 0; i < 20; ++i)
    subjects.push_back(std::make_unique<Subject>([] {}));
  ASSERT_EQ(ReadTable().rows.size(), 16u);
  const auto overflow = [] {
    return StatsNumber(ReadStats(), PF_KEY_OVERFLOW_PREFIX PF_COL_FAULTS);
  };
  const int64_t before = overflow();
  int64_t faults = 0;
  for (int i = 0; i < 5; ++i)
    for (const Ended& ended : EndAtOnce(24, 8))
      faults += ended.usage.ru_minflt + ended.usage.ru_majflt;
  const int64_t counted = overflow() - before;
  EXPECT_GT(counted, faults * 9 / 10);
  EXPECT_LE(counted, faults);
}

// The rows of zombies do not keep the rows of other processes in the table.
TEST(Lifecycle, UnreapedChildrenDoNotHoldOthersUp) {
  UnloadModule();
  ASSERT_EQ(
      LoadModule(DefaultParameters() + " max_processes=1024 retain_ms=50"), 0);
  std::vector<pid_t> zombies;
  for (int i = 0; i < 400; ++i) {
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    zombies.push_back(pid);
  }
  ReadTable();
  const Ended child = RunToEnd([] {});
  EXPECT_TRUE(Eventually([&] { return !ReadTable().FindOne(child.pid); }));
  for (pid_t pid : zombies) waitpid(pid, nullptr, 0);
}

// Reaps a process late, while the row of a younger one is due two thirds of
// `retain_ms` later than its own. Returns false if the younger one was due too
// by the end, so that nothing was shown: the machine is too slow for
// `retain_ms`.
bool ReapLate(int retain_ms) {
  EXPECT_TRUE(SetParameter("retain_ms", std::to_string(retain_ms)));
  const pid_t late = fork();
  if (late == 0) _exit(0);
  siginfo_t info;
  EXPECT_EQ(waitid(P_PID, static_cast<id_t>(late), &info, WEXITED | WNOWAIT),
            0);
  usleep(static_cast<useconds_t>(retain_ms) * 667);
  const auto younger_exits = std::chrono::steady_clock::now();
  const Ended younger = RunToEnd([] {});
  // By the end of this the first row is due, and the worker has set it aside.
  usleep(static_cast<useconds_t>(retain_ms) * 600);
  EXPECT_EQ(waitpid(late, nullptr, 0), late);
  Table table;
  EXPECT_TRUE(Eventually([&] {
    table = ReadTable();
    return !table.FindOne(late);
  }));
  const bool in_time = std::chrono::steady_clock::now() <
                       younger_exits + std::chrono::milliseconds(retain_ms);
  EXPECT_TRUE(table.FindOne(younger.pid) || !in_time);
  return in_time;
}

// With totals a row stays until its process is reaped. After that it is dropped
// before the rows of processes that exited later.
TEST(Lifecycle, ReapedLateARowGoesBeforeYoungerOnes) {
  EXPECT_TRUE(ReapLate(5000) || ReapLate(20000) || ReapLate(80000))
      << "the machine is too slow for this test";
}

// The global sums do not fall when a row is dropped.
TEST(Lifecycle, GlobalSumsNeverFall) {
  ASSERT_TRUE(SetParameter("retain_ms", "1"));
  int64_t last = 0;
  for (int i = 0; i < 300; ++i) {
    RunToEnd([] {});
    const int64_t faults = StatsNumber(ReadStats(), PF_COL_FAULTS);
    ASSERT_GE(faults, last) << i;
    last = faults;
  }
}

TEST(Lifecycle, PidReuseGivesSeparateRows) {
  ASSERT_TRUE(SetParameter("retain_ms", kAnHour));
  std::ofstream("/proc/sys/kernel/pid_max") << 400;
  std::map<pid_t, int> seen;
  for (int i = 0; i < 900; ++i) {
    const size_t pages = static_cast<size_t>(i % 7 + 1);
    const Ended child = RunToEnd([pages] {
      void* memory = mmap(nullptr, pages * 4096, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      memset(memory, 1, pages * 4096);
    });
    ++seen[child.pid];
  }
  std::ofstream("/proc/sys/kernel/pid_max") << 32768;
  const Table table = ReadTable();
  int reused = 0;
  for (const auto& [pid, times] : seen) {
    const auto rows = table.Find(pid);
    EXPECT_EQ(rows.size(), static_cast<size_t>(times)) << pid;
    std::set<std::string> starts;
    for (const Row* row : rows) starts.insert(row->Text(PF_COL_START_NS));
    EXPECT_EQ(starts.size(), rows.size()) << pid;
    if (times > 1) ++reused;
  }
  EXPECT_GT(reused, 50);
}

TEST(Lifecycle, KernelThreadsHaveNoRows) {
  // Makes the kernel start and end some workers.
  for (int i = 0; i < 20; ++i) sync();
  sleep(1);
  for (const Row& row : ReadTable().rows) {
    const std::string& comm = row.Text(PF_COL_COMM);
    EXPECT_NE(comm.rfind("kworker", 0), 0u) << comm;
    EXPECT_NE(comm, "kthreadd");
  }
}

// More processes exit than the table has rows: the oldest rows are dropped
// first, no count is lost, and memory does not grow.
TEST(Lifecycle, ForkStormThroughASmallTable) {
  UnloadModule();
  ASSERT_EQ(LoadModule(DefaultParameters() + " max_processes=64"), 0);
  const Ended first = RunToEnd([] {});
  for (int i = 0; i < 100; ++i) RunToEnd([] {});
  const uint64_t slab = MemInfo("SUnreclaim");
  const uint64_t vmalloc = MemInfo("VmallocUsed");
  for (int i = 0; i < 1000; ++i) RunToEnd([] {});
  // A new process gets a row as soon as the worker has freed one.
  EXPECT_TRUE(Eventually([] {
    const Ended last = RunToEnd([] {});
    return ReadTable().FindOne(last.pid) != nullptr;
  }));
  // KASAN keeps freed memory for a while; there the part `debug` asks kmemleak.
  if (access("/sys/kernel/debug/kmemleak", F_OK) != 0) {
    EXPECT_LE(MemInfo("SUnreclaim"), slab + 2048) << "kB of slab";
  }
  EXPECT_LE(MemInfo("VmallocUsed"), vmalloc + 1024) << "kB of vmalloc";
  const Stats stats = ReadStats();
  EXPECT_LE(StatsNumber(stats, PF_KEY_LIVE) + StatsNumber(stats, PF_KEY_EXITED),
            64);
  EXPECT_GT(StatsNumber(stats, PF_KEY_RETIRED_ROWS), 0);
  EXPECT_EQ(ReadTable().FindOne(first.pid), nullptr) << "the oldest";
}

TEST(Lifecycle, NoRowOutlivesItsProcess) {
  for (int i = 0; i < 200; ++i) RunToEnd([] { std::thread([] {}).join(); });
  for (const Row& row : ReadTable().rows) {
    if (row.Text(PF_COL_STATE) != PF_STATE_LIVE) continue;
    EXPECT_EQ(kill(static_cast<pid_t>(row.Number(PF_COL_PID)), 0), 0)
        << "live, but gone: " << row.Text(PF_COL_PID);
  }
}

}  // namespace
}  // namespace pf_test
