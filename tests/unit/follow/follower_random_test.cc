// SPDX-License-Identifier: Apache-2.0
// A simulated machine whose processes fault, fork, exec and exit at random. Its
// sources fail, are reloaded and replace each other.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "follow/follower.h"
#include "samples.h"

namespace pfe {
namespace {

using Key = std::pair<uint32_t, uint64_t>;

// The true counts, and what each source says about them.
class Machine {
 public:
  explicit Machine(unsigned seed) : random_(seed) {}

  void Live() {
    now_ns_ += kSecond;
    for (Truth& process : processes_) {
      const uint64_t growth = random_() % 3 ? random_() % 100 : 0;
      process.total += growth;
      process.cells[random_() % kBreakdownCells] += growth;
      grown_ += growth;
      if (random_() % 20 == 0)
        process.comm = "c" + std::to_string(random_() % 5);
    }
    std::erase_if(processes_,
                  [this](const Truth&) { return random_() % 30 == 0; });
    for (auto n = random_() % 4; n > 0; --n) {
      const uint32_t pid = next_pid_ = next_pid_ % 60 + 1;
      const auto has_pid = [pid](const Truth& one) { return one.pid == pid; };
      if (std::any_of(processes_.begin(), processes_.end(), has_pid)) continue;
      processes_.push_back(
          {pid, now_ns_ - random_() % kSecond, 0, {}, {}, {}, "new"});
    }
    if (random_() % 4 == 0)
      std::shuffle(processes_.begin(), processes_.end(), random_);
  }

  void LoadModule() {
    ++load_;
    for (Truth& process : processes_) {
      process.at_load = process.total;
      process.cells_at_load = process.cells;
    }
  }

  Snapshot ByModule() {
    Snapshot snapshot = Start("module", load_);
    snapshot.offered.breakdown = true;
    for (const Truth& process : processes_) {
      Sample sample = SampleOf(process, process.start_ns);
      // A counter that is read while it moves may once be behind.
      const uint64_t dip = random_() % 50 == 0 ? 3 : 0;
      const uint64_t total = process.total - process.at_load;
      sample.faults = sample.minor = total - std::min(dip, total);
      for (size_t i = 0; i < kBreakdownCells; ++i)
        sample.breakdown[i] = process.cells[i] - process.cells_at_load[i];
      Add(sample, &snapshot.processes);
    }
    return snapshot;
  }

  Snapshot ByProcfs() {
    Snapshot snapshot = Start("procfs", 0);
    for (const Truth& process : processes_) {
      Sample sample = SampleOf(process, process.start_ns / 10000000 * 10000000);
      sample.faults = sample.minor = process.total;
      Add(sample, &snapshot.processes);
    }
    return snapshot;
  }

  uint64_t grown() const { return grown_; }
  std::mt19937& random() { return random_; }

 private:
  struct Truth {
    uint32_t pid;
    uint64_t start_ns;
    uint64_t total;
    Breakdown cells;
    uint64_t at_load;
    Breakdown cells_at_load;
    std::string comm;
  };

  Snapshot Start(const char* source, uint64_t epoch) {
    Snapshot snapshot;
    snapshot.source = source;
    snapshot.epoch = epoch;
    snapshot.read_ns = now_ns_;
    snapshot.can_miss_processes = snapshot.source == "procfs";
    return snapshot;
  }

  static Sample SampleOf(const Truth& process, uint64_t start_ns) {
    return pfe::Live(process.pid, start_ns, process.comm, 0);
  }

  std::mt19937 random_;
  uint64_t now_ns_ = 1000 * kSecond;
  uint64_t load_ = 1;
  uint32_t next_pid_ = 0;
  uint64_t grown_ = 0;
  std::vector<Truth> processes_;
};

// The exported values of a tick.
struct Seen {
  std::map<Key, std::pair<uint64_t, Breakdown>> processes;  // by start in 10 ms
  std::map<std::string, NamedSums> comms;
  uint64_t all_comms = 0;

  explicit Seen(const Follower& follower) {
    const ProcessTable& table = follower.last().rows->processes;
    for (const Process& process : table)
      processes[{process.pid, process.start_ns / 10000000}] = {
          process.faults, table.breakdown(process)};
    for (const NamedSums& sums : *follower.sums().all()) {
      comms[sums.name] = sums;
      all_comms += sums.counters.faults;
    }
  }
};

void ExpectNoFall(const Seen& before, const Seen& now, uint64_t most) {
  for (const auto& [key, values] : before.processes) {
    const auto next = now.processes.find(key);
    if (next == now.processes.end()) continue;
    ASSERT_GE(next->second.first, values.first) << key.first;
    ASSERT_LE(next->second.first - values.first, most) << key.first;
    for (size_t i = 0; i < kBreakdownCells; ++i)
      ASSERT_GE(next->second.second[i], values.second[i]) << key.first;
  }
  for (const auto& [comm, sums] : before.comms) {
    const NamedSums& next = now.comms.at(comm);
    ASSERT_GE(next.counters.faults, sums.counters.faults) << comm;
    for (size_t i = 0; i < kBreakdownCells; ++i)
      ASSERT_GE(next.breakdown[i], sums.breakdown[i]) << comm;
  }
}

// Exported values never decrease, and grow in a tick by at most what the
// machine has done since the tick before.
TEST(FollowerRandom, CountersNeverFallNorLeap) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    Machine machine(seed);
    Follower follower(100, false);
    Seen before(follower);
    uint64_t grown = 0, since = 0;
    bool by_module = true;
    for (int tick = 0; tick < 200; ++tick) {
      machine.Live();
      since += machine.grown() - grown;
      grown = machine.grown();
      if (machine.random()() % 15 == 0) by_module = !by_module;
      if (machine.random()() % 40 == 0) machine.LoadModule();
      if (machine.random()() % 20 == 0) continue;  // a read that failed
      Snapshot snapshot = by_module ? machine.ByModule() : machine.ByProcfs();
      Tick(std::move(snapshot), &follower);
      Seen now(follower);
      ExpectNoFall(before, now, since + 3);
      ASSERT_LE(now.all_comms - before.all_comms, since + 200)
          << seed << " " << tick;
      if (testing::Test::HasFatalFailure()) return;
      before = std::move(now);
      since = 0;
    }
    EXPECT_LE(before.all_comms, machine.grown());
    EXPECT_GE(before.all_comms, machine.grown() / 2);
  }
}

}  // namespace
}  // namespace pfe
