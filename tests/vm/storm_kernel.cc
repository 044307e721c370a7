// SPDX-License-Identifier: Apache-2.0
// Storms inside the kernel: allocations fail, CPUs go offline, probes are
// switched off, a kernel thread borrows memory, the module is unloaded under
// load.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "module.h"
#include "page_faults.h"
#include "storm_kit.h"

namespace pf_test {
namespace {

int64_t Drift() { return StatsNumber(ReadStats(), PF_KEY_DRIFT); }

// Lets allocations fail, by failslab and fail_page_alloc, in the tasks that set
// their make-it-fail.
class FailingAllocations {
 public:
  explicit FailingAllocations(const std::string& percent) {
    for (const char* what : {"failslab", "fail_page_alloc"}) {
      const std::string directory = std::string("/sys/kernel/debug/") + what;
      if (access(directory.c_str(), F_OK)) return;
      for (const auto& [name, value] :
           {std::pair<std::string, std::string>{"/task-filter", "Y"},
            {"/ignore-gfp-wait", "N"},
            {"/ignore-gfp-highmem", "N"},
            {"/min-order", "0"},
            {"/verbose", "0"},
            {"/times", "-1"},
            {"/interval", "1"},
            {"/probability", percent}}) {
        std::string file = directory;
        file += name;
        if (access(file.c_str(), F_OK) == 0) WriteFile(file, value);
      }
    }
    possible_ = true;
  }
  ~FailingAllocations() {
    for (const char* what : {"failslab", "fail_page_alloc"})
      WriteFile(std::string("/sys/kernel/debug/") + what + "/probability", "0");
  }
  FailingAllocations(const FailingAllocations&) = delete;
  FailingAllocations& operator=(const FailingAllocations&) = delete;

  bool possible() const { return possible_; }

 private:
  bool possible_ = false;
};

struct FailedLoad {
  int error;  // of the load; 0 if it succeeded
  int left;   // of the countdown; 0 if an allocation has failed
};

// Loads the module while the nth allocation fails.
FailedLoad LoadWithFailure(int nth, const std::string& parameters) {
  const int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
  if (fd < 0) return {errno, 0};
  const std::string text = std::to_string(nth);
  if (write(fd, text.data(), text.size()) < 0) return {errno, 0};
  const int error = LoadModule(DefaultParameters() + parameters);
  char left[16] = {};
  static_cast<void>(pread(fd, left, sizeof(left) - 1, 0));
  // If the load did not use up the countdown, this allocation may fail.
  while (write(fd, "0", 1) < 0 && errno == EFAULT) {
  }
  close(fd);
  return {error, atoi(left)};
}

// How many allocations a load makes before the parameters are parsed. Among
// them are those of the trace event, which are the kernel's own: if one fails,
// it warns (event_define_fields() in kernel/trace/trace_events.c).
int AllocationsBeforeParameters() {
  constexpr int kMany = 1000000;
  const FailedLoad load = LoadWithFailure(kMany, " sample=no");
  EXPECT_EQ(load.error, EINVAL);
  return kMany - load.left;
}

// Each allocation of a load fails once, from the parameters on: the load is
// refused and leaves nothing behind, or it succeeds without that allocation.
TEST(StormSlow, EachAllocationFailsAtLoad) {
  const FailingAllocations failing("0");
  if (!failing.possible())
    GTEST_SKIP() << "this kernel's do not fail on demand";
  const QuietConsole quiet;
  UnloadPatiently();
  const int first = AllocationsBeforeParameters() + 1;
  int refused = 0, in_spite = 0;
  for (int n = first; n < first + 5000; ++n) {
    UnloadPatiently();
    const auto [error, left] =
        LoadWithFailure(n, " max_processes=64 maxactive=16");
    if (left > 0) break;
    error ? ++refused : ++in_spite;
    // EFAULT comes from the copy of the parameters, ENOSPC from the shmem file.
    EXPECT_TRUE(error == 0 || error == ENOMEM || error == EFAULT ||
                error == ENOSPC)
        << "at " << n << ": " << error;
    EXPECT_EQ(ModuleIsLoaded(), error == 0) << n;
  }
  printf("  refused %d times, loaded in spite of it %d times\n", refused,
         in_spite);
  EXPECT_GT(refused, 10);
  ASSERT_EQ(LoadAfresh(), 0);
}

TEST(StormSlow, AllocationsFailInReaders) {
  const FailingAllocations failing("20");
  if (!failing.possible())
    GTEST_SKIP() << "this kernel's do not fail on demand";
  Crowd crowd(2, ForkRound);
  Crowd readers(4, [] {
    static bool asked = WriteFile("/proc/self/make-it-fail", "1");
    if (asked) ReadRound();
  });
  for (int i = 0; i < 20; ++i) {
    ReadTable();
    usleep(50000);
  }
}

// No memory for the page that faults: handle_mm_fault returns VM_FAULT_OOM.
TEST(StormSlow, AllocationsFailInFaults) {
  const FailingAllocations failing("5");
  if (!failing.possible())
    GTEST_SKIP() << "this kernel's do not fail on demand";
  const QuietConsole quiet;
  {
    Crowd crowd(4, [] {
      static bool asked = WriteFile("/proc/self/make-it-fail", "1");
      if (asked) FaultRound();
    });
    usleep(2000000);
  }
  EXPECT_GT(StatsNumber(ReadStats(), PF_COL_OOM), 0);
}

TEST(StormSlow, CpusComeAndGo) {
  const std::string online = "/sys/devices/system/cpu/cpu1/online";
  if (access(online.c_str(), W_OK)) GTEST_SKIP() << "no second CPU";
  Crowd crowd(4, ForkRound);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(WriteFile(online, "0"));
    ReadTable();
    ReadStats();
    ASSERT_TRUE(WriteFile(online, "1"));
    ReadTable();
    ReadStats();
  }
}

// A round for a Crowd: faults on the second CPU.
void FaultOnTheSecondCpu() {
  cpu_set_t second;
  CPU_ZERO(&second);
  CPU_SET(1, &second);
  sched_setaffinity(0, sizeof(second), &second);
  FaultRound();
}

// A CPU goes offline while a load waits for the calls from before its probe. We
// have counted faults on that CPU, and the kernel moves its events to another
// CPU: the base of the drift must include both.
TEST(StormReload, CpuGoesWhileTheModuleLoads) {
  const std::string online = "/sys/devices/system/cpu/cpu1/online";
  if (access(online.c_str(), W_OK)) GTEST_SKIP() << "no second CPU";
  for (int ms = 0; ms < 100; ms += 20) {
    ASSERT_EQ(UnloadPatiently(), 0);
    Crowd crowd(2, FaultOnTheSecondCpu);
    std::thread load([] {
      EXPECT_EQ(LoadModule(DefaultParameters() + " maxactive=16"), 0);
    });
    const auto probed = [] {
      // Both hooks are by ftrace.
      return ReadFile("/sys/kernel/debug/tracing/enabled_functions")
                 .find("handle_mm_fault") != std::string::npos;
    };
    EXPECT_TRUE(Eventually(probed));
    usleep(static_cast<useconds_t>(ms) * 1000);
    EXPECT_TRUE(WriteFile(online, "0"));
    load.join();
    EXPECT_TRUE(WriteFile(online, "1"));
    crowd.Kill();
    EXPECT_EQ(Drift(), 0) << ms << " ms";
  }
}

// While the file has the value 0 the probe sees no faults. drift and
// rows_differ say so, and the module counts again after it was reloaded.
void ExpectDriftWhileOff(const std::string& file) {
  {
    const Setting off(file, "0");
    if (!off.set()) GTEST_SKIP() << "the kernel refuses it";
    RunToEnd([] {
      for (int i = 0; i < 10; ++i) FaultRound();
    });
    EXPECT_LT(Drift(), -1000);
    EXPECT_GT(StatsNumber(ReadStats(), PF_KEY_ROWS_DIFFER), 0);
    if (const char* port = getenv("PF_DAEMON")) {
      EXPECT_TRUE(DaemonSays(atoi(port), "page_fault_module_drift -"));
    }
  }
  ASSERT_EQ(LoadAfresh(), 0);
  RunToEnd(FaultRound);
}

TEST(StormReload, FtraceSwitchedOff) {
  ExpectDriftWhileOff("/proc/sys/kernel/ftrace_enabled");
}

TEST(StormReload, KprobesSwitchedOff) {
  ASSERT_EQ(LoadAfresh("hook=kretprobe"), 0);
  ExpectDriftWhileOff("/sys/kernel/debug/kprobes/enabled");
}

// A direct call is no kprobe.
TEST(StormReload, KprobesSwitchedOffBesideTheDirectCall) {
  ASSERT_EQ(LoadAfresh("hook=direct"), 0);
  const Setting off("/sys/kernel/debug/kprobes/enabled", "0");
  if (!off.set()) GTEST_SKIP() << "the kernel refuses it";
  RunToEnd(FaultRound);
  EXPECT_TRUE(Eventually([] { return Drift() == 0; })) << Drift();
}

TEST(StormReload, TwoHundredUnloadsUnderLoad) {
  Crowd faults(2, FaultRound);
  Crowd forks(2, ForkRound);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(LoadAfresh(i % 4 == 3 ? "max_processes=16" : ""), 0) << i;
    // A load and an unload wait for seconds on a busy machine. Without a word
    // the guest would be taken for one that hangs.
    if (i % 10 == 9) {
      printf("%d unloads\n", i + 1);
      fflush(stdout);
    }
    usleep(2000);
  }
}

// A kernel thread uses the memory of a process, as the threads of vhost do.
TEST(StormSlow, BorrowedMemory) {
  const int fd = open("/borrow.ko", O_RDONLY | O_CLOEXEC);
  if (fd < 0) GTEST_SKIP() << "no borrow.ko in this guest";
  const auto ended = RunAtOnce(3, [fd](int i) {
    char* memory = MapPages(256);
    char parameters[99];
    snprintf(parameters, sizeof(parameters), "pid=%d address=%lu pages=256",
             getpid(), reinterpret_cast<unsigned long>(memory));
    // borrow does its work in its init function. One load at a time: newer
    // kernels give a second load of the same file the result of the first.
    const int turn = open("/borrow.ko", O_RDONLY | O_CLOEXEC);
    if (turn < 0 || flock(turn, LOCK_EX)) _exit(4);
    if (syscall(SYS_finit_module, fd, parameters, 0)) _exit(1);
    for (size_t page = 0; page < 256; ++page)
      if (memory[page * kPage] != 42) _exit(2);
    if (syscall(SYS_delete_module, "borrow", 0)) _exit(3);
    _exit(i < 0);
  });
  close(fd);
  EXPECT_TRUE(AllSucceeded(ended));
  for (const Ended& child : ended) EXPECT_EQ(EndedRowError(child), "");
  // A kernel thread has no row, so its faults are counted as retired.
  EXPECT_GE(StatsNumber(ReadStats(), PF_KEY_RETIRED_PREFIX PF_COL_FAULTS),
            3 * 256);
}

}  // namespace
}  // namespace pf_test
