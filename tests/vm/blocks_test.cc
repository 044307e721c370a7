// SPDX-License-Identifier: Apache-2.0
// Processes with counters for each CPU (kernel/blocks.h): when they get a
// block, when they lose it, and that no count is lost.
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "module.h"
#include "page_faults.h"
#include "storm_kit.h"

namespace pf_test {
namespace {

const char kLongRetention[] = "retain_ms=3600000";

int64_t BlocksUsed() { return StatsNumber(ReadStats(), PF_KEY_BLOCKS_USED); }

// Whether the process is counted on each CPU apart now.
bool HasBlock(pid_t pid) {
  const Table table = ReadTable();
  const Row* row = table.FindOne(pid);
  return row && row->Number(PF_COL_BY_CPU) == 1;
}

bool HasBlocks() { return StatsNumber(ReadStats(), PF_KEY_BLOCKS) > 0; }

// A line of /proc/vmstat.
std::string VmStat(const std::string& key) {
  const std::string text = "\n" + ReadFile("/proc/vmstat");
  const size_t at = text.find("\n" + key + " ");
  return at == std::string::npos
             ? ""
             : text.substr(at, text.find('\n', at + 1) - at);
}

// The file says "0" or "0-63".
int64_t PossibleCpus() {
  const std::string range = ReadFile("/sys/devices/system/cpu/possible");
  return std::stol(range.substr(range.find('-') + 1)) + 1;
}

void StayOn(long cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<size_t>(cpu), &one);
  sched_setaffinity(0, sizeof(one), &one);
}

// A process with a thread for each CPU, which fault there until Stop().
class Faulting {
 public:
  enum Pace {
    kAlways,
    kOnOneCpu,    // the thread on CPU 0 alone
    kAtIntervals  // all threads, one second in five
  };

  Faulting() {
    void* memory = mmap(nullptr, kPage, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared_ = new (memory) Shared;
    pid_ = fork();
    if (pid_ == 0) Run();
  }
  ~Faulting() {
    if (!ended_) End();
    munmap(shared_, kPage);
  }
  Faulting(const Faulting&) = delete;
  Faulting& operator=(const Faulting&) = delete;

  pid_t pid() const { return pid_; }

  void SetPace(Pace pace) { shared_->pace = pace; }

  // Returns when the threads have ended; the process stands still then.
  void Stop() {
    shared_->stop = true;
    EXPECT_TRUE(Eventually([this] { return shared_->still.load(); }));
  }

  void GoOn() {
    shared_->still = false;
    shared_->stop = false;
  }

  // Kills it in the middle of faults, unless it stands still.
  Ended End() {
    Ended ended{};
    kill(pid_, SIGKILL);
    ended.pid = wait4(pid_, &ended.status, 0, &ended.usage);
    EXPECT_EQ(ended.pid, pid_);
    ended_ = true;
    return ended;
  }

 private:
  struct Shared {
    std::atomic<bool> stop{false};
    std::atomic<bool> still{false};
    std::atomic<Pace> pace{kAlways};
  };

  bool Rests(long cpu) const {
    const Pace pace = shared_->pace;
    return pace == kOnOneCpu ? cpu != 0
                             : pace == kAtIntervals && time(nullptr) % 5 != 0;
  }

  [[noreturn]] void Run() {
    for (;;) {
      std::vector<std::thread> threads;
      const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
      for (long cpu = 0; cpu < cpus; ++cpu)
        threads.emplace_back([this, cpu] {
          while (!shared_->stop) {
            StayOn(cpu);  // again and again: a CPU may have been offline
            if (Rests(cpu))
              usleep(1000);
            else
              FaultRound();
          }
        });
      for (std::thread& thread : threads) thread.join();
      shared_->still = true;
      while (shared_->stop) usleep(1000);
    }
  }

  Shared* shared_;
  pid_t pid_;
  bool ended_ = false;
};

// Whether the row of a process that stands still has what the kernel counted.
void ExpectExact(const Faulting& process) {
  std::string error;
  EXPECT_TRUE(Eventually([&] {
    error = RowError(process.pid());
    return error.empty();
  })) << error;
}

TEST(Blocks, ThreadsOnSeveralCpusGetOne) {
  if (!HasBlocks()) GTEST_SKIP() << "only one CPU";
  ASSERT_EQ(LoadAfresh(kLongRetention), 0);
  Faulting process;
  EXPECT_TRUE(Eventually([&] { return HasBlock(process.pid()); }));
  EXPECT_GE(BlocksUsed(), 1);
  process.Stop();
  ExpectExact(process);
  EXPECT_EQ(EndedRowError(process.End()), "");
  EXPECT_TRUE(Eventually([] { return BlocksUsed() == 0; }));
}

TEST(Blocks, AThreadThatChangesItsCpuGetsNone) {
  Crowd crowd(2, [] {
    static long n;
    StayOn(n++ % sysconf(_SC_NPROCESSORS_ONLN));
    FaultRound();
  });
  sleep(2);
  EXPECT_EQ(BlocksUsed(), 0);
}

TEST(Blocks, ThreeProcessesAndAPoolOfOne) {
  ASSERT_EQ(LoadAfresh(std::string("blocks=1 ") + kLongRetention), 0);
  if (!HasBlocks()) GTEST_SKIP() << "only one CPU";
  Faulting processes[3];
  EXPECT_TRUE(Eventually([] { return BlocksUsed() == 1; }));
  usleep(500000);
  EXPECT_EQ(BlocksUsed(), 1);
  for (Faulting& process : processes) process.Stop();
  for (Faulting& process : processes) ExpectExact(process);
  for (Faulting& process : processes)
    EXPECT_EQ(EndedRowError(process.End()), "");
}

// A process that at times faults on several CPUs at once has the only block. It
// loses it to one that always does.
TEST(Blocks, AHeavyProcessGetsTheBlockOfALightOne) {
  ASSERT_EQ(LoadAfresh(std::string("blocks=1 ") + kLongRetention), 0);
  if (!HasBlocks()) GTEST_SKIP() << "only one CPU";
  Faulting light;
  EXPECT_TRUE(Eventually([&] { return HasBlock(light.pid()); }));
  light.SetPace(Faulting::kAtIntervals);
  Faulting heavy;
  EXPECT_TRUE(Eventually([&] { return HasBlock(heavy.pid()); }));
  for (Faulting* process : {&light, &heavy}) {
    process->Stop();
    ExpectExact(*process);
    EXPECT_EQ(EndedRowError(process->End()), "");
  }
}

// A block is taken back while its process counts into it.
TEST(Blocks, ABlockGoesBackUnderLoad) {
  ASSERT_EQ(LoadAfresh(std::string("blocks=1 ") + kLongRetention), 0);
  if (!HasBlocks()) GTEST_SKIP() << "only one CPU";
  Faulting process;
  for (int round = 0; round < 5; ++round) {
    EXPECT_TRUE(Eventually([&] { return HasBlock(process.pid()); }));
    process.SetPace(Faulting::kOnOneCpu);
    EXPECT_TRUE(Eventually([&] { return !HasBlock(process.pid()); }));
    process.Stop();
    ExpectExact(process);
    process.SetPace(Faulting::kAlways);
    process.GoOn();
  }
  EXPECT_EQ(EndedRowError(process.End()), "");
}

// The kernel kills nobody to make room for the pool, which has fewer blocks if
// there is little memory.
TEST(Blocks, ALargePoolLeavesMemoryToOthers) {
  if (!HasBlocks()) GTEST_SKIP() << "only one CPU";
  constexpr int64_t kBlocks = 4096;
  constexpr int64_t kTallyBytes = 704;
  const std::string kills = VmStat("oom_kill");
  ASSERT_EQ(LoadAfresh("blocks=" + std::to_string(kBlocks)), 0);
  const int64_t blocks = StatsNumber(ReadStats(), PF_KEY_BLOCKS);
  EXPECT_EQ(VmStat("oom_kill"), kills);
  const int64_t pool_kb = kBlocks * kTallyBytes / 1024 * PossibleCpus();
  const auto memory_kb = static_cast<int64_t>(MemInfo("MemTotal"));
  EXPECT_GT(blocks, 0);
  if (pool_kb > memory_kb / 8) {
    EXPECT_LT(blocks, kBlocks);
  }
  if (pool_kb < memory_kb / 32) {
    EXPECT_EQ(blocks, kBlocks);
  }
}

TEST(Blocks, NoPool) {
  ASSERT_EQ(LoadAfresh(std::string("blocks=0 ") + kLongRetention), 0);
  EXPECT_EQ(StatsNumber(ReadStats(), PF_KEY_BLOCKS), 0);
  Faulting process;
  usleep(500000);
  EXPECT_EQ(BlocksUsed(), 0);
  process.Stop();
  ExpectExact(process);
}

// A row grows while its process gets a block and loses it, and is exact after.
TEST(Blocks, ARowNeverFalls) {
  if (!HasBlocks()) GTEST_SKIP() << "only one CPU";
  ASSERT_EQ(LoadAfresh(kLongRetention), 0);
  for (int round = 0; round < 5; ++round) {
    Faulting process;
    uint64_t last = 0;
    const auto grows = [&] {
      const Table table = ReadTable();
      const Row* row = table.FindOne(process.pid());
      const uint64_t now = row ? row->Number(PF_COL_FAULTS) : 0;
      EXPECT_GE(now, last);
      last = now;
    };
    EXPECT_TRUE(Eventually([&] {
      grows();
      return BlocksUsed() == 1;
    }));
    for (int i = 0; i < 10; ++i) grows();
    const Ended ended = process.End();
    EXPECT_TRUE(Eventually([&] {
      grows();
      return BlocksUsed() == 0;
    }));
    EXPECT_EQ(EndedRowError(ended), "");
  }
}

// Rows are dropped while their processes have blocks.
TEST(Blocks, RowsGoWithTheirBlocks) {
  ASSERT_EQ(LoadAfresh("blocks=2 max_processes=64 retain_ms=0"), 0);
  for (int i = 0; i < 10; ++i) {
    const Faulting a, b, c;
    usleep(200000);
  }
  EXPECT_TRUE(Eventually([] { return BlocksUsed() == 0; }));
}

TEST(StormSlow, ABlockThatIsNotNeededGoesBack) {
  if (!HasBlocks()) GTEST_SKIP() << "only one CPU";
  Faulting process;
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(Eventually([&] { return HasBlock(process.pid()); }));
    process.Stop();
    ExpectExact(process);
    EXPECT_TRUE(Eventually([&] { return !HasBlock(process.pid()); }));
    ExpectExact(process);
    process.GoOn();
  }
}

TEST(StormSlow, CpusComeAndGoUnderThreads) {
  const std::string online = "/sys/devices/system/cpu/cpu1/online";
  if (access(online.c_str(), W_OK)) GTEST_SKIP() << "no second CPU";
  ASSERT_EQ(LoadAfresh(std::string("blocks=2 ") + kLongRetention), 0);
  Faulting processes[3];
  EXPECT_TRUE(Eventually([] { return BlocksUsed() == 2; }));
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(WriteFile(online, "0"));
    ReadTable();
    ASSERT_TRUE(WriteFile(online, "1"));
    ReadTable();
  }
  for (Faulting& process : processes) process.Stop();
  for (Faulting& process : processes) ExpectExact(process);
}

// What a CPU has counted stays in the rows and in the sums while it is offline.
TEST(StormSlow, ACpuGoesAndItsCountsStay) {
  const std::string online = "/sys/devices/system/cpu/cpu1/online";
  if (access(online.c_str(), W_OK)) GTEST_SKIP() << "no second CPU";
  ASSERT_EQ(LoadAfresh(kLongRetention), 0);
  Faulting stays, ends;
  for (const Faulting* process : {&stays, &ends}) {
    EXPECT_TRUE(Eventually([&] { return HasBlock(process->pid()); }));
  }
  ASSERT_TRUE(WriteFile(online, "0"));
  stays.Stop();
  ends.Stop();
  ExpectExact(stays);
  ExpectExact(ends);
  const Ended ended = ends.End();
  EXPECT_EQ(EndedRowError(ended), "");
  EXPECT_TRUE(Eventually([&] { return !HasBlock(ended.pid); }));
  usleep(500000);  // the worker adds the block to the row meanwhile
  EXPECT_EQ(EndedRowError(ended), "");
  EXPECT_EQ(ConservationError(), "");
  EXPECT_TRUE(WriteFile(online, "1"));
  ExpectExact(stays);
}

TEST(StormReload, UnloadWithBlocksInUse) {
  if (!HasBlocks()) GTEST_SKIP() << "only one CPU";
  const Faulting a, b;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(LoadAfresh(i % 2 ? "blocks=1" : ""), 0);
    EXPECT_TRUE(Eventually([] { return BlocksUsed() >= 1; }));
  }
}

}  // namespace
}  // namespace pf_test
