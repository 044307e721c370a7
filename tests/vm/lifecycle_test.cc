// SPDX-License-Identifier: Apache-2.0
// Processes come, change their names and go.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "module.h"
#include "page_faults.h"
#include "subject.h"

namespace pf_test {
namespace {

TEST(Lifecycle, ExitedChildrenKeepTheirFinalCounts) {
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

// vfork's child shares its parent's memory until it execs.
TEST(Lifecycle, VforkAndExec) {
  Subject parent([] {}, [] {
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

// The thread that execs takes its leader's pid over.
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
  for (int i = 0; i < 100 && ReadTable().FindOne(child.pid); ++i)
    usleep(50000);
  EXPECT_EQ(ReadTable().FindOne(child.pid), nullptr);
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
  // With totals, what has no row is counted when it exits.
  subjects.clear();
  EXPECT_GT(StatsNumber(ReadStats(), PF_KEY_OVERFLOW_PREFIX PF_COL_FAULTS), 0);
}

// The table is smaller than the storm: oldest rows go first, nothing is lost.
TEST(Lifecycle, ForkStormThroughASmallTable) {
  UnloadModule();
  ASSERT_EQ(LoadModule(DefaultParameters() + " max_processes=64"), 0);
  for (int i = 0; i < 500; ++i) RunToEnd([] {});
  const Stats stats = ReadStats();
  EXPECT_LE(StatsNumber(stats, PF_KEY_LIVE) + StatsNumber(stats, PF_KEY_EXITED),
            64);
  EXPECT_GT(StatsNumber(stats, PF_KEY_RETIRED_ROWS), 0);
}

TEST(Lifecycle, NoRowOutlivesItsProcess) {
  for (int i = 0; i < 200; ++i)
    RunToEnd([] { std::thread([] {}).join(); });
  for (const Row& row : ReadTable().rows) {
    if (row.Text(PF_COL_STATE) != PF_STATE_LIVE) continue;
    EXPECT_EQ(kill(static_cast<pid_t>(row.Number(PF_COL_PID)), 0), 0)
        << "live, but gone: " << row.Text(PF_COL_PID);
  }
}

}  // namespace
}  // namespace pf_test
