// SPDX-License-Identifier: Apache-2.0
// Processes start, change their names and exit.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "module.h"
#include "page_faults.h"
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
  EXPECT_GT(row->Number(PF_COL_EXEC), 0u);
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
  EXPECT_GT(StatsNumber(stats, PF_KEY_OVERFLOW_PREFIX PF_COL_FAULTS), 0);
  int64_t faults = 0;
  for (auto& subject : subjects) {
    subject->Act();
    const rusage usage = subject->End();
    faults += usage.ru_minflt + usage.ru_majflt;
  }
  EXPECT_GE(StatsNumber(ReadStats(), PF_COL_FAULTS), faults);
}

// A zombie keeps its pid, but not its row.
TEST(Lifecycle, TheRowOfAZombieRetires) {
  ASSERT_TRUE(SetParameter("retain_ms", kAnHour));
  const pid_t zombie = fork();
  if (zombie == 0) _exit(0);
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(zombie), &info, WEXITED | WNOWAIT),
            0);
  EXPECT_NE(ReadTable().FindOne(zombie), nullptr);
  ASSERT_TRUE(SetParameter("retain_ms", "0"));
  EXPECT_TRUE(Eventually([&] { return !ReadTable().FindOne(zombie); }));
  EXPECT_EQ(waitpid(zombie, nullptr, 0), zombie);
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
