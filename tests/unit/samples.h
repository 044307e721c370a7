// SPDX-License-Identifier: Apache-2.0
// Snapshots for tests, and a source that gives them.
#ifndef TESTS_UNIT_SAMPLES_H_
#define TESTS_UNIT_SAMPLES_H_

#include <deque>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "follow/follower.h"
#include "source/source.h"

namespace pfe {

inline constexpr uint64_t kSecond = 1000000000;

// A process with the texts and counts that its table keeps for it.
struct Sample : Process {
  std::string comm;
  Breakdown breakdown{};
  SlowFaults slow{};
};

inline Sample Live(uint32_t pid, uint64_t start_ns, const std::string& comm,
                   uint64_t faults) {
  Sample process;
  process.pid = pid;
  process.start_ns = start_ns;
  process.live = true;
  process.comm = comm;
  process.faults = process.minor = faults;
  process.vma_kb = 10;
  process.rss_kb = 5;
  return process;
}

inline Sample Exited(uint32_t pid, uint64_t start_ns, const std::string& comm,
                     uint64_t faults) {
  Sample process = Live(pid, start_ns, comm, faults);
  process.live = false;
  process.vma_kb = process.rss_kb = 0;
  return process;
}

inline void Add(const Sample& sample, ProcessTable* table) {
  Process* const row = table->Add();
  *row = sample;
  table->SetComm(sample.comm);
  uint32_t cells = 0;
  for (size_t i = 0; i < kBreakdownCells; ++i)
    if (sample.breakdown[i]) cells |= 1u << i;
  table->SetBreakdown(cells, sample.breakdown, row);
  table->SetSlow(sample.slow, row);
}

inline Snapshot Of(const std::vector<Sample>& processes,
                   const std::string& source = "module", uint64_t epoch = 1) {
  static uint64_t clock = 1000 * kSecond;
  Snapshot snapshot;
  snapshot.source = source;
  snapshot.epoch = epoch;
  snapshot.read_ns = clock += kSecond;
  snapshot.can_miss_processes = source == "procfs";
  for (const Sample& sample : processes) Add(sample, &snapshot.processes);
  return snapshot;
}

// Follows a snapshot, and commits the tick.
inline void Tick(Snapshot snapshot, Follower* follower) {
  auto rows = std::make_shared<Rows>();
  rows->processes = std::move(snapshot.processes);
  follower->Follow(snapshot, std::move(rows), false);
  follower->Commit();
}

// Gives the results it was told to, then repeats the last one.
class FakeSource : public Source {
 public:
  const char* Name() const override { return "module"; }
  std::optional<Error> Read(Snapshot* snapshot) override {
    const Result<Snapshot> result = results_.front();
    if (results_.size() > 1) results_.pop_front();
    if (!result.ok()) return result.error();
    *snapshot = result.value();
    return std::nullopt;
  }
  void Then(Result<Snapshot> result) { results_.push_back(std::move(result)); }

 private:
  std::deque<Result<Snapshot>> results_;
};

// Valid UTF-8 of any characters.
inline std::string RandomText(std::mt19937* random) {
  std::string bytes((*random)() % 16, '\0');
  for (char& c : bytes) c = static_cast<char>((*random)());
  return ToValidUtf8(bytes);
}

// The samples of an exposition: what is before the value, and the value.
using SampleSet = std::multiset<std::pair<std::string, double>>;
inline SampleSet Samples(const std::string& text) {
  SampleSet samples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const size_t space = line.rfind(' ');
    samples.emplace(line.substr(0, space), std::stod(line.substr(space + 1)));
  }
  return samples;
}

// What a source reads.
inline Result<Snapshot> ReadOf(Source* source) {
  Snapshot snapshot;
  if (auto error = source->Read(&snapshot)) return *error;
  return snapshot;
}

}  // namespace pfe

#endif  // TESTS_UNIT_SAMPLES_H_
