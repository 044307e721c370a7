// SPDX-License-Identifier: Apache-2.0
#include "follow/follower.h"

#include <gtest/gtest.h>

#include <random>

#include "samples.h"

namespace pfe {
namespace {

// A process whose faults are all in one cell of the breakdown.
Snapshot WithCell(uint64_t faults, uint64_t epoch) {
  Sample process = Live(1, 10000000, "a", faults);
  process.breakdown[4] = faults;
  Snapshot snapshot = Of({process}, "module", epoch);
  snapshot.offered.breakdown = true;
  return snapshot;
}

// The module's statistics in a snapshot.
ModuleStats& Module(Snapshot* snapshot) {
  return snapshot->module ? *snapshot->module : snapshot->module.emplace();
}

std::optional<uint64_t>& Retried(HostCounters* host) {
  return (*host)[static_cast<size_t>(HostCounter::kRetried)];
}
uint64_t Retried(const HostCounters& host) {
  return host[static_cast<size_t>(HostCounter::kRetried)].value();
}

class FollowerTest : public testing::Test {
 protected:
  void Tick(const std::vector<Sample>& processes,
            const std::string& source = "module", uint64_t epoch = 1) {
    Tick(Of(processes, source, epoch));
  }
  void Tick(Snapshot snapshot) { pfe::Tick(std::move(snapshot), &follower_); }

  const ProcessTable& Table() const { return follower_.last().rows->processes; }
  const Sums::All& Comms() const { return *follower_.sums().all(); }
  // The exported faults of a pid.
  uint64_t Faults(uint64_t pid) const {
    for (const Process& process : Table())
      if (process.pid == pid) return process.faults;
    ADD_FAILURE() << "no pid " << pid;
    return 0;
  }
  // The exported faults of the first process, of a cell of the breakdown.
  uint64_t Cell(size_t cell) const {
    return Table().breakdown(Table()[0])[cell];
  }
  uint64_t CommFaults(const std::string& comm) const {
    for (const NamedSums& sums : Comms())
      if (sums.name == comm) return sums.counters.faults;
    return 0;
  }
  uint64_t AllCommFaults() const {
    uint64_t sum = 0;
    for (const NamedSums& sums : Comms()) sum += sums.counters.faults;
    return sum;
  }

  Follower follower_{100, true};
};

TEST_F(FollowerTest, ValuesOfTheFirstSourceAreItsOwn) {
  Tick({Live(1, 1, "a", 10), Live(2, 1, "b", 20)});
  EXPECT_EQ(Faults(1), 10u);
  Tick({Live(1, 1, "a", 15), Live(2, 1, "b", 20)});
  EXPECT_EQ(Faults(1), 15u);
  EXPECT_EQ(follower_.last().rows->growth[0].faults, 5u);
}

TEST_F(FollowerTest, CommSumsKeepTheExited) {
  Tick({Live(1, 1, "a", 10)});
  Tick({Exited(1, 1, "a", 12), Exited(2, 1001 * kSecond, "a", 7)});
  EXPECT_EQ(CommFaults("a"), 19u);
  Tick(std::vector<Sample>{});
  Tick({Live(3, 1003 * kSecond, "a", 1)});
  EXPECT_EQ(CommFaults("a"), 20u);
}

// exec and prctl change the comm; earlier growth stays where it was.
TEST_F(FollowerTest, GrowthGoesToTheCommOfItsTick) {
  Tick({Live(1, 1, "sh", 10)});
  Tick({Live(1, 1, "gcc", 30)});
  EXPECT_EQ(CommFaults("sh"), 10u);
  EXPECT_EQ(CommFaults("gcc"), 20u);
}

// A sum that begins at 0 after a restart is a counter reset for Prometheus. A
// sum that began smaller than before, but large, would look like a spike.
TEST(Follower, SumsOfAServiceBeginWithItsFirstTick) {
  Follower follower(100, false);
  Snapshot snapshot = Of({Live(1, 1, "a", 1000)});
  Module(&snapshot)[ModuleNumber::kRetiredFaults] = 500;
  Tick(std::move(snapshot), &follower);
  EXPECT_EQ((*follower.sums().all())[1].counters.faults, 0u);
  EXPECT_EQ(follower.last().rows->processes[0].faults, 1000u);
  snapshot = Of({Live(1, 1, "a", 1003), Live(2, 1, "a", 4)});
  Module(&snapshot)[ModuleNumber::kRetiredFaults] = 501;
  Tick(std::move(snapshot), &follower);
  EXPECT_EQ((*follower.sums().all())[1].counters.faults, 7u);
  EXPECT_EQ(follower.last().host.unattributed(), 1u);
}

TEST_F(FollowerTest, AReusedPidIsAnotherProcess) {
  Tick({Live(7, 1, "a", 1000)});
  Tick({Exited(7, 1, "a", 1001), Live(7, 2, "b", 3)});
  EXPECT_EQ(CommFaults("a"), 1001u);
  EXPECT_EQ(CommFaults("b"), 3u);
}

// The pid of a process that a tick has twice; 0 if there is none.
uint32_t TwiceIn(Snapshot snapshot, Follower* follower) {
  auto rows = std::make_shared<Rows>();
  rows->processes = std::move(snapshot.processes);
  return follower->Follow(snapshot, std::move(rows), false).value_or(0);
}

TEST(Follower, TellsThatAProcessIsThereTwice) {
  Follower follower(10, false);
  const std::vector<Sample> good = {Live(1, 1, "a", 5), Live(7, 2, "b", 5)};
  // At the first tick, and as new ones.
  EXPECT_EQ(
      TwiceIn(Of({Live(7, 2, "b", 5), Live(1, 1, "a", 5), Live(7, 2, "c", 5)}),
              &follower),
      7u);
  pfe::Tick(Of(good), &follower);
  EXPECT_EQ(TwiceIn(Of({good[0], good[1], Live(9, 3, "c", 5),
                        Live(8, 3, "c", 5), Live(9, 3, "c", 5)}),
                    &follower),
            9u);
  // One of them was there before.
  EXPECT_EQ(TwiceIn(Of({good[0], good[0], good[1]}), &follower), 1u);
  // From another source, whose starts are not exact.
  EXPECT_EQ(TwiceIn(Of({good[0], good[1], good[1]}, "procfs"), &follower), 7u);
  EXPECT_EQ(TwiceIn(Of({Live(1, 3, "a", 5), Live(1, 4, "a", 5)}, "procfs"),
                    &follower),
            0u)
      << "they are two processes";
  // Another process has the pid.
  EXPECT_EQ(TwiceIn(Of({Exited(7, 2, "b", 5), Live(7, 3, "b", 5)}), &follower),
            0u);
  EXPECT_EQ(follower.last().rows->processes.size(), 2u) << "none is committed";
}

TEST_F(FollowerTest, RowsInAnyOrder) {
  Tick({Live(1, 1, "a", 1), Live(2, 1, "b", 2), Live(3, 1, "c", 3)});
  Tick({Live(3, 1, "c", 4), Live(1, 1, "a", 2), Live(2, 1, "b", 3)});
  for (const Counters& growth : follower_.last().rows->growth)
    EXPECT_EQ(growth.faults, 1u);
}

// After a fallback and the return, no counter decreases or jumps, and no
// process is taken for a new one.
TEST_F(FollowerTest, ASwitchOfSourceGoesOnByGrowthOnly) {
  const uint64_t start = 123 * kSecond + 7;  // /proc knows 123.00 s
  Tick({Live(1, start, "a", 10)});
  Tick({Live(1, 123 * kSecond, "a", 500000)}, "procfs", 0);
  EXPECT_EQ(Faults(1), 10u);
  EXPECT_EQ(CommFaults("a"), 10u);
  Tick({Live(1, 123 * kSecond, "a", 500005)}, "procfs", 0);
  EXPECT_EQ(Faults(1), 15u);
  Tick({Live(1, start, "a", 3)}, "module", 2);
  EXPECT_EQ(Faults(1), 15u);
  Tick({Live(1, start, "a", 4)}, "module", 2);
  EXPECT_EQ(Faults(1), 16u);
  EXPECT_EQ(CommFaults("a"), 16u);
}

TEST_F(FollowerTest, AModuleReloadGoesOn) {
  Tick(WithCell(10, 1));
  Tick(WithCell(2, 2));
  EXPECT_EQ(Faults(1), 10u);
  EXPECT_GE(Cell(4), 10u);
  Tick(WithCell(5, 2));
  EXPECT_EQ(Faults(1), 13u);
  EXPECT_EQ(Cell(4), 13u);
}

// /proc replaces the module for a tick, then the same load of the module is
// read again.
TEST_F(FollowerTest, TheSameLoadComesBack) {
  const auto module = [](uint64_t faults) {
    Snapshot snapshot = WithCell(faults, 1);
    Module(&snapshot);
    Retried(&snapshot.host) = faults;
    snapshot.latency.bounds_ns = {256};
    for (Histogram& histogram : snapshot.latency.severities)
      histogram = {{faults}, faults, faults};
    return snapshot;
  };
  for (uint64_t faults = 100; faults < 105; ++faults) {
    Tick(module(faults));
    EXPECT_EQ(Retried(follower_.last().host.counters()), faults);
    EXPECT_EQ(follower_.last().host.latency().severities[0].count, faults);
    EXPECT_LE(Cell(4), faults);
    const uint64_t breakdown = Cell(4);
    Tick({Live(1, 10000000, "a", 7777)}, "procfs", 0);
    EXPECT_EQ(Retried(follower_.last().host.counters()), faults);
    EXPECT_EQ(follower_.last().host.latency().severities[0].count, faults);
    EXPECT_EQ(Cell(4), breakdown);
  }
}

// This holds right after a change of source too, when the exported value is
// small and the source's value is large.
TEST_F(FollowerTest, ADipAfterAReloadIsNoSpike) {
  Tick({Live(1, kSecond, "a", 5)});
  Tick({Live(1, kSecond, "a", 1000)}, "procfs", 0);
  for (uint64_t faults : {900u, 990u, 1000u})
    Tick({Live(1, kSecond, "a", faults)}, "procfs", 0);
  EXPECT_EQ(Faults(1), 5u);
  Tick({Live(1, kSecond, "a", 1003)}, "procfs", 0);
  EXPECT_EQ(Faults(1), 8u);
  EXPECT_EQ(CommFaults("a"), 8u);
}

TEST_F(FollowerTest, ACellThatDipsIsNotCountedTwice) {
  for (uint64_t faults : {100u, 90u, 0u, 100u, 101u}) {
    Tick(WithCell(faults, 1));
    EXPECT_GE(Cell(4), 100u);
  }
  EXPECT_EQ(Cell(4), 101u);
  EXPECT_EQ(Comms()[1].breakdown[4], 101u);
}

// Many rows go and come in one tick.
TEST_F(FollowerTest, RowsThatGoAndComeInTheMiddle) {
  std::vector<Sample> processes;
  for (uint32_t pid = 1; pid <= 100; ++pid)
    processes.push_back(Live(pid, pid * kSecond, "a", 10));
  Tick(processes);
  processes.erase(processes.begin() + 20, processes.begin() + 50);
  for (uint32_t pid = 200; pid < 210; ++pid)
    processes.insert(processes.begin() + 5, Live(pid, pid * kSecond, "b", 1));
  std::swap(processes.front(), processes.back());
  for (Sample& process : processes) ++process.faults;
  Tick(processes);
  EXPECT_EQ(CommFaults("a"), 1070u);
  EXPECT_EQ(CommFaults("b"), 20u);
}

TEST_F(FollowerTest, SaysWhatChanged) {
  Tick({Live(1, 1, "a", 10), Live(2, 1, "b", 1)});
  EXPECT_TRUE(follower_.last().changes.all);
  Tick({Live(1, 1, "a", 10), Live(2, 1, "b", 1)});
  EXPECT_FALSE(follower_.last().changes.all || follower_.last().changes.rows ||
               follower_.last().changes.counters ||
               follower_.last().changes.rss);
  Tick({Live(1, 1, "a", 11), Live(2, 1, "b", 1)});
  EXPECT_TRUE(follower_.last().changes.counters);
  EXPECT_FALSE(follower_.last().changes.rows || follower_.last().changes.vma);
  Tick({Live(1, 1, "renamed", 11), Live(2, 1, "b", 1)});
  EXPECT_TRUE(follower_.last().changes.rows);
  Tick({Live(1, 1, "renamed", 11)});
  EXPECT_TRUE(follower_.last().changes.rows);
}

// When a counter recovers after a decrease, that growth is not counted again.
TEST_F(FollowerTest, ADipIsNotCountedTwice) {
  for (uint64_t faults : {100u, 90u, 100u, 101u})
    Tick({Live(1, 1, "a", faults)});
  EXPECT_EQ(Faults(1), 101u);
  EXPECT_EQ(CommFaults("a"), 101u);
}

TEST_F(FollowerTest, AProcessThatProcMissedIsNoSpike) {
  Tick({Live(1, 1, "a", 10), Live(2, 1, "b", 999)}, "procfs", 0);
  Tick({Live(1, 1, "a", 10)}, "procfs", 0);
  Tick({Live(1, 1, "a", 10), Live(2, 1, "b", 999)}, "procfs", 0);
  EXPECT_EQ(CommFaults("b"), 999u);
}

TEST_F(FollowerTest, AProgramNamedOtherIsInTheBucket) {
  follower_.set_max_comms(1);
  Tick({Live(1, 1, "other", 1), Live(2, 1, "a", 2), Live(3, 1, "b", 4)});
  int named = 0;
  for (const NamedSums& sums : Comms()) named += sums.name == "other";
  EXPECT_EQ(named, 1);
  EXPECT_EQ(CommFaults("other"), 5u);
}

// An old process that appears after a change of source adds nothing: its faults
// were either counted before or cannot be told from those that were.
TEST_F(FollowerTest, AnUnknownOldProcessAfterASwitchIsNoSpike) {
  Tick({Live(1, 1, "a", 10)});
  Tick({Live(1, 1, "a", 10), Exited(2, 5, "b", 999999)}, "module", 2);
  EXPECT_EQ(CommFaults("b"), 0u);
}

TEST_F(FollowerTest, UnattributedAreRowsThatWentBetweenTicks) {
  const auto with = [](const std::vector<Sample>& processes, int64_t retired,
                       int64_t overflow) {
    Snapshot snapshot = Of(processes);
    Module(&snapshot)[ModuleNumber::kRetiredFaults] = retired;
    Module(&snapshot)[ModuleNumber::kOverflowFaults] = overflow;
    return snapshot;
  };
  Tick(with({Live(1, 1, "a", 10)}, 0, 0));
  EXPECT_EQ(follower_.last().host.unattributed(), 0u);
  // One row was seen with 10 and retired with 12; one with 5 was never seen.
  Tick(with({}, 17, 0));
  EXPECT_EQ(follower_.last().host.unattributed(), 7u);
  Tick(with({}, 17, 4));
  EXPECT_EQ(follower_.last().host.unattributed(), 11u);
}

TEST_F(FollowerTest, HostCountersAndLatencyGoOnOverAReload) {
  const auto with = [](uint64_t epoch, uint64_t retried, uint64_t count) {
    Snapshot snapshot = Of({}, "module", epoch);
    Module(&snapshot);
    Retried(&snapshot.host) = retried;
    snapshot.latency.bounds_ns = {256};
    for (Histogram& histogram : snapshot.latency.severities)
      histogram = {{count}, count, count};
    return snapshot;
  };
  Tick(with(1, 5, 100));
  Tick(with(2, 1, 3));
  EXPECT_EQ(Retried(follower_.last().host.counters()), 6u);
  EXPECT_EQ(follower_.last().host.latency().severities[0].count, 103u);
  Tick(with(2, 2, 4));
  EXPECT_EQ(Retried(follower_.last().host.counters()), 7u);
  EXPECT_EQ(follower_.last().host.latency().severities[0].counts[0], 104u);
}

TEST_F(FollowerTest, HostCountersAndLatencyDoNotFall) {
  const auto with = [](uint64_t retried, const std::vector<uint64_t>& counts) {
    Snapshot snapshot = Of({});
    Module(&snapshot);
    Retried(&snapshot.host) = retried;
    snapshot.latency.bounds_ns = {256, 512};
    for (Histogram& histogram : snapshot.latency.severities)
      histogram = {counts, counts.back(), 10 * counts.back()};
    return snapshot;
  };
  Tick(with(5, {3, 9}));
  Tick(with(4, {4, 8}));
  EXPECT_EQ(Retried(follower_.last().host.counters()), 5u);
  const Histogram& histogram = follower_.last().host.latency().severities[1];
  EXPECT_EQ(histogram.counts, (std::vector<uint64_t>{4, 9}));
  EXPECT_EQ(histogram.count, 9u);
  EXPECT_EQ(histogram.sum_ns, 90u);
  Tick(with(6, {4, 10}));
  EXPECT_EQ(Retried(follower_.last().host.counters()), 6u);
  EXPECT_EQ(follower_.last().host.latency().severities[1].count, 10u);
}

TEST_F(FollowerTest, CommsBeyondTheCapShareABucket) {
  follower_.set_max_comms(2);
  Tick({Live(1, 1, "a", 1), Live(2, 1, "b", 2), Live(3, 1, "c", 4),
        Live(4, 1, "d", 8)});
  EXPECT_EQ(CommFaults("other"), 12u);
  EXPECT_EQ(follower_.sums().omitted(), 2u);
  EXPECT_EQ(AllCommFaults(), 15u);
}

TEST_F(FollowerTest, TheBucketHasABreakdown) {
  follower_.set_max_comms(1);
  std::vector<Sample> processes = {Live(1, 1, "a", 1), Live(2, 1, "b", 2),
                                   Live(3, 1, "c", 4)};
  for (size_t i = 0; i < 3; ++i) processes[i].breakdown[i] = 1u << i;
  Snapshot snapshot = Of(processes);
  snapshot.offered.breakdown = true;
  Tick(std::move(snapshot));
  const NamedSums& other = Comms()[Sums::kOther];
  EXPECT_EQ(other.breakdown[1], 2u);
  EXPECT_EQ(other.breakdown[2], 4u);
  EXPECT_EQ(other.counters.faults, 6u);
}

// The sums equal the faults that were read, whatever comes and goes.
TEST_F(FollowerTest, SumsEqualTheFaultsThatWereRead) {
  std::mt19937 random(3);
  std::vector<Sample> processes;
  uint64_t gone = 0;
  uint32_t next_pid = 1;
  for (int tick = 0; tick < 300; ++tick) {
    for (Sample& process : processes) {
      if (!process.live) continue;
      process.minor = process.faults += random() % 50;
      if (random() % 10 == 0)
        process.comm = "c" + std::to_string(random() % 20);
    }
    std::erase_if(processes, [&](const Sample& process) {
      if (process.live || random() % 3) return false;
      gone += process.faults;
      return true;
    });
    for (Sample& process : processes)
      if (random() % 8 == 0) process.live = false;
    // No process faults between its last sight and its end here.
    for (auto n = random() % 5; n > 0; --n) {
      processes.push_back(
          Live(next_pid, next_pid * uint64_t{20000000}, "c0", random() % 90));
      ++next_pid;
    }
    std::shuffle(processes.begin(), processes.end(), random);
    Tick(processes);
    uint64_t expected = gone;
    for (const Sample& process : processes) expected += process.faults;
    ASSERT_EQ(AllCommFaults(), expected) << tick;
  }
}

}  // namespace
}  // namespace pfe
