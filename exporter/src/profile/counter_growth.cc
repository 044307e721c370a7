// SPDX-License-Identifier: Apache-2.0
#include "profile/counter_growth.h"

#include "base/utf8.h"

namespace pfe {
namespace {

int64_t NumberOf(const Snapshot& reading, ModuleNumber number) {
  return reading.module ? (*reading.module)[number].value_or(0) : 0;
}

}  // namespace

CounterGrowth::Counted CounterGrowth::CountedOf(const Snapshot& reading,
                                                const Process& process) {
  Counted counted;
  counted.stall_ns = process.stall_ns;
  if (!reading.offered.breakdown) {
    counted.faults[ProfileClass(0, kKinds)] = process.minor;
    counted.faults[ProfileClass(1, kKinds)] = process.major;
    return counted;
  }
  const Breakdown breakdown = reading.processes.breakdown(process);
  for (size_t cell = 0; cell < kBreakdownCells; ++cell)
    counted.faults[ProfileClass(cell / (kAccesses * kKinds), cell % kKinds)] +=
        breakdown[cell];
  return counted;
}

void CounterGrowth::Add(const std::string& comm, const Counted& before,
                        const Counted& after) {
  if (after == before) return;
  FaultSum growth;
  for (size_t i = 0; i < kProfileClasses; ++i)
    growth.faults[i] = static_cast<double>(after.faults[i] - before.faults[i]);
  growth.stall_seconds =
      static_cast<double>(after.stall_ns - before.stall_ns) / 1e9;
  sum_ += growth;
  if (by_comm_.size() == kMostComms && !by_comm_.contains(comm))
    problem_ = "there are too many comms";
  else
    by_comm_[comm] += growth;
}

// Finds what the table has lost since the last reading.
void CounterGrowth::Check(const Snapshot& reading) {
  const int64_t retired = NumberOf(reading, ModuleNumber::kRetiredRows);
  const int64_t overflow = NumberOf(reading, ModuleNumber::kOverflowFaults);
  if (epoch_ && reading.epoch != *epoch_)
    problem_ = "the module was loaded again in the meantime";
  else if (epoch_ && overflow > overflow_)
    problem_ = "the module's table was full (max_processes)";
  else if (epoch_ && retired - retired_ > static_cast<int64_t>(exited_))
    problem_ = "the module's table forgot processes before they were read";
  epoch_ = reading.epoch;
  retired_ = retired;
  overflow_ = overflow;
}

// A process that is new since the last reading began at 0.
void CounterGrowth::Take(const Snapshot& reading, const Selector& selector) {
  const bool is_first = !epoch_;
  Check(reading);
  offered_ = reading.offered;
  exited_ = 0;
  Counts counts;
  for (const Process& process : reading.processes) {
    const auto key = std::make_pair(process.pid, process.start_ns);
    const Counted& counted = counts[key] = CountedOf(reading, process);
    if (!process.live) ++exited_;
    if (is_first ||
        !selector.Matches(process.pid, reading.processes.comm(process),
                          process.cgroup))
      continue;
    const auto before = counts_.find(key);
    Add(ToValidUtf8(reading.processes.comm(process)),
        before == counts_.end() ? Counted() : before->second, counted);
  }
  counts_ = std::move(counts);
}

}  // namespace pfe
