// SPDX-License-Identifier: Apache-2.0
// Storms of processes: many start, exec, stop, enter namespaces and die.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <memory>
#include <set>
#include <thread>

#include "module.h"
#include "page_faults.h"
#include "storm_kit.h"

namespace pf_test {
namespace {

int64_t ProcessesSeen() {
  const Stats stats = ReadStats();
  return StatsNumber(stats, PF_KEY_LIVE) + StatsNumber(stats, PF_KEY_EXITED) +
         StatsNumber(stats, PF_KEY_RETIRED_ROWS);
}

int64_t Overflow() {
  return StatsNumber(ReadStats(), PF_KEY_OVERFLOW_PREFIX PF_COL_FAULTS);
}

// Every row has the counts that wait4() returned for the child.
void ExpectExact(const std::vector<Ended>& all) {
  for (const Ended& child : all) EXPECT_EQ(EndedRowError(child), "");
}

TEST(StormQuick, Fork) {
  const int64_t before = ProcessesSeen();
  const auto ended = RunAtOnce(4, [](int) {
    for (int i = 0; i < 60; ++i) ForkRound();
  });
  EXPECT_TRUE(AllSucceeded(ended));
  EXPECT_GE(ProcessesSeen() - before, 4 * 61);
}

TEST(StormQuick, Exec) {
  const auto ended = RunAtOnce(40, [](int) {
    execl("/bin/busybox", "busybox", "true", nullptr);
    _exit(1);
  });
  EXPECT_TRUE(AllSucceeded(ended));
  ExpectExact(ended);
}

// A thread execs and takes over its leader's pid while its siblings fault.
TEST(StormQuick, ExecWhileThreadsFault) {
  const auto ended = RunAtOnce(8, [](int) {
    for (int i = 0; i < 3; ++i)
      std::thread([] {
        for (;;) FaultRound();
      }).detach();
    std::thread([] {
      usleep(5000);
      execl("/bin/busybox", "busybox", "true", nullptr);
      _exit(1);
    }).detach();
    for (;;) pause();
  });
  EXPECT_TRUE(AllSucceeded(ended));
  ExpectExact(ended);
}

TEST(StormQuick, Threads) {
  Subject subject([] {
    for (int round = 0; round < 10; ++round) {
      std::vector<std::thread> threads;
      for (int i = 0; i < 20; ++i) threads.emplace_back(FaultRound);
      for (std::thread& thread : threads) thread.join();
    }
  });
  subject.Act();
  EXPECT_EQ(RowError(subject.pid()), "");
}

// The leader exits, and its threads go on faulting.
TEST(StormQuick, LeaderExitsBeforeItsThreads) {
  ExpectExact(RunAtOnce(8, [](int) {
    std::thread([] {
      usleep(20000);
      for (int i = 0; i < 5; ++i) FaultRound();
      _exit(0);
    }).detach();
    syscall(SYS_exit, 0);
  }));
}

TEST(StormQuick, KilledWhileFaulting) {
  for (int i = 0; i < 20; ++i) {
    Crowd crowd(4, [] {
      std::thread other(FaultRound);
      FaultRound();
      other.join();
    });
    usleep(5000);
  }
  for (const Row& row : ReadTable().rows) {
    if (row.Text(PF_COL_STATE) != PF_STATE_LIVE) continue;
    EXPECT_EQ(kill(static_cast<pid_t>(row.Number(PF_COL_PID)), 0), 0)
        << "live, but gone: " << row.Text(PF_COL_PID);
  }
}

// Pids are used again at once: every process still has a row of its own.
TEST(StormQuick, PidReuse) {
  // Pids that are used again start at 300.
  const Setting few("/proc/sys/kernel/pid_max", "350");
  ASSERT_TRUE(few.set());
  EXPECT_TRUE(AllSucceeded(RunAtOnce(3, [](int) {
    for (int i = 0; i < 150; ++i) ForkRound();
  })));
  const Table table = ReadTable();
  std::set<std::string> pids, identities;
  for (const Row& row : table.rows) {
    pids.insert(row.Text(PF_COL_PID));
    identities.insert(row.Text(PF_COL_PID) + " " + row.Text(PF_COL_START_NS));
  }
  EXPECT_EQ(identities.size(), table.rows.size());
  EXPECT_LT(pids.size(), table.rows.size()) << "no pid came back";
}

TEST(StormQuick, TableFull) {
  ASSERT_EQ(LoadAfresh("max_processes=16"), 0);
  {
    Crowd crowd(40, FaultRound);
    usleep(300000);
    EXPECT_LE(ReadTable().rows.size(), 16u);
    EXPECT_TRUE(Eventually([] { return Overflow() > 0; }));
  }
  // The table has room again, and a new process gets a row.
  ASSERT_TRUE(SetParameter("retain_ms", "0"));
  EXPECT_TRUE(Eventually([] {
    const Subject subject([] {});
    return ReadTable().FindOne(subject.pid()) != nullptr;
  }));
}

TEST(StormQuick, RetentionPressure) {
  ASSERT_EQ(LoadAfresh("max_processes=64 retain_ms=4000000"), 0);
  EXPECT_TRUE(AllSucceeded(RunAtOnce(4, [](int) {
    for (int i = 0; i < 60; ++i) ForkRound();
  })));
  const Stats stats = ReadStats();
  EXPECT_GT(StatsNumber(stats, PF_KEY_RETIRED_ROWS), 20);
  EXPECT_LE(StatsNumber(stats, PF_KEY_LIVE) + StatsNumber(stats, PF_KEY_EXITED),
            64);
}

TEST(StormQuick, RetentionChangedWhileRowsGo) {
  Crowd crowd(3, ForkRound);
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(SetParameter("retain_ms", i % 2 ? "0" : "4294967295"));
    usleep(10000);
  }
}

TEST(StormQuick, StoppedInTheMiddle) {
  Crowd crowd(4, FaultRound);
  for (int i = 0; i < 10; ++i) {
    for (pid_t pid : crowd.pids()) kill(pid, SIGSTOP);
    for (pid_t pid : crowd.pids()) {
      int status;
      ASSERT_EQ(waitpid(pid, &status, WUNTRACED), pid);
      EXPECT_EQ(RowError(pid), "");
    }
    for (pid_t pid : crowd.pids()) kill(pid, SIGCONT);
    usleep(3000);
  }
}

TEST(StormQuick, FrozenByTheirCgroup) {
  Cgroup group("frozen");
  ASSERT_TRUE(group.exists());
  {
    Crowd crowd(4, [&group] {
      static bool entered = group.Enter();
      if (entered) FaultRound();
    });
    usleep(100000);
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(group.Set("cgroup.freeze", "1"));
      while (group.Get("cgroup.events").find("frozen 1") == std::string::npos)
        usleep(1000);
      for (pid_t pid : crowd.pids()) EXPECT_EQ(RowError(pid), "");
      ASSERT_TRUE(group.Set("cgroup.freeze", "0"));
      usleep(10000);
    }
  }
}

// A process in a pid namespace has its row under its pid outside of it.
TEST(StormQuick, NamespacesAndChroot) {
  mkdir("/tmp/jail", 0755);
  const auto ended = RunAtOnce(6, [](int i) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWPID) || (i % 2 && chroot("/tmp/jail")))
      _exit(1);
    const pid_t child = fork();
    if (child == 0) {
      if (getpid() != 1) _exit(2);
      for (int round = 0; round < 3; ++round) FaultRound();
      _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    _exit(status ? 3 : 0);
  });
  EXPECT_TRUE(AllSucceeded(ended));
  const Table table = ReadTable();
  for (const Ended& child : ended) {
    EXPECT_NE(table.FindOne(child.pid), nullptr) << child.pid;
    EXPECT_EQ(table.Find(1).size(), 1u) << "an inner pid";
  }
}

TEST(StormQuick, Seccomp) {
  const auto ended = RunAtOnce(6, [](int) {
    char* memory = MapPages(64);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    WritePages(memory, 64);
    syscall(SYS_getpid);  // strict mode kills it for this
  });
  for (const Ended& child : ended) {
    EXPECT_TRUE(WIFSIGNALED(child.status));
    EXPECT_EQ(EndedRowError(child), "");
  }
}

// Processes change their names while the table is read.
TEST(StormQuick, NamesChange) {
  Crowd crowd(3, [] {
    static int n;
    const std::string name = "storm\t" + std::to_string(n++ * 7919);
    prctl(PR_SET_NAME, name.c_str());
    FaultRound();
  });
  for (int i = 0; i < 20; ++i) ReadTable();
}

void SetClock(time_t shift) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  now.tv_sec += shift;
  ASSERT_EQ(clock_settime(CLOCK_REALTIME, &now), 0) << strerror(errno);
}

TEST(StormQuick, ClockJumps) {
  Crowd crowd(2, ForkRound);
  const int64_t before = StatsNumber(ReadStats(), PF_COL_STALL_NS);
  for (time_t shift : {86400, -86400, 31536000, -31536000, 3600, -3600}) {
    SetClock(shift);
    usleep(20000);
  }
  crowd.Kill();
  // More than an hour of stalls would come from the jumps of the clock.
  EXPECT_LT(StatsNumber(ReadStats(), PF_COL_STALL_NS) - before,
            3600LL * 1000000000);
  timespec boot;
  clock_gettime(CLOCK_BOOTTIME, &boot);
  for (const Row& row : ReadTable().rows)
    EXPECT_LE(row.Number(PF_COL_START_NS),
              static_cast<uint64_t>(boot.tv_sec + 1) * 1000000000);
}

TEST(StormSlow, ForkOfAThousand) {
  const int64_t before = ProcessesSeen();
  const auto ended = RunAtOnce(1000, [](int) { FaultRound(); });
  EXPECT_TRUE(AllSucceeded(ended));
  EXPECT_GE(ProcessesSeen() - before, 1000);
}

TEST(StormSlow, ThreadsOfAThousand) {
  Subject subject([] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 1000; ++i) threads.emplace_back(FaultRound);
    for (std::thread& thread : threads) thread.join();
  });
  subject.Act();
  EXPECT_EQ(RowError(subject.pid()), "");
}

// The kernel reads the memory of a large process to write its core dump.
TEST(StormSlow, CoreDumpOfALargeProcess) {
  const Setting pattern("/proc/sys/kernel/core_pattern", Disk("core"));
  ASSERT_TRUE(pattern.set());
  const Ended child = RunToEnd([] {
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_CORE, &all);
    char* memory = MapPages(24000);
    for (size_t i = 0; i < 24000; i += 2) WritePages(memory + i * kPage, 1);
    raise(SIGABRT);
  });
  EXPECT_TRUE(WCOREDUMP(child.status));
  EXPECT_EQ(EndedRowError(child), "");
  struct stat core {};
  stat(Disk("core").c_str(), &core);
  EXPECT_GT(core.st_size, 90 << 20);
  unlink(Disk("core").c_str());
}

}  // namespace
}  // namespace pf_test
