// SPDX-License-Identifier: Apache-2.0
#include "follow/history.h"

#include <utility>

#include "follow/ranking.h"

namespace pfe {
namespace {

std::vector<Rank> MostRecent(const Tracker& tracker, size_t n) {
  const ProcessTable& processes = tracker.processes();
  FirstN first(n);
  for (uint32_t i = 0; i < processes.size(); ++i)
    if (processes[i].live)
      first.Offer({tracker.tracked()[i].recent, 0, processes[i].pid, i});
  return first.Take();
}

}  // namespace

HistoryPoint PointOf(const Counters& growth, uint64_t rss_kb, double seconds) {
  HistoryPoint point;
  point.rss_bytes = rss_kb * 1024;
  if (seconds <= 0) return point;
  point.faults = static_cast<double>(growth.faults) / seconds;
  point.major = static_cast<double>(growth.major) / seconds;
  point.stall = static_cast<double>(growth.stall_ns) / 1e9 / seconds;
  return point;
}

void History::Add(const Tracker& tracker, double unix_seconds) {
  ++tick_;
  for (const Rank& rank : MostRecent(tracker, kProcesses)) {
    const Process& process = tracker.processes()[rank.index];
    Kept& kept = processes_[{process.pid, process.start_ns}];
    kept.seen = tick_;
    if (kept.points.size() == kTicks) kept.points.erase(kept.points.begin());
    kept.points.push_back(PointOf(tracker.tracked()[rank.index].growth,
                                  process.rss_kb, tracker.seconds()));
  }
  // One that was busy a little while ago may be so again.
  std::erase_if(processes_, [this](const auto& item) {
    return item.second.seen + 5 < tick_;
  });
  Counters growth;
  uint64_t rss_kb = 0;
  for (const CommSums& sums : tracker.comms()) {
    growth.faults += sums.growth.faults;
    growth.major += sums.growth.major;
    growth.stall_ns += sums.growth.stall_ns;
    rss_kb += sums.rss_kb;
  }
  if (tracker.seconds() > 0)
    host_.push_back({unix_seconds, PointOf(growth, rss_kb, tracker.seconds())});
  if (host_.size() > kTicks) host_.pop_front();
}

const History::Points* History::Of(const Process& process) const {
  const auto found = processes_.find({process.pid, process.start_ns});
  return found == processes_.end() ? nullptr : &found->second.points;
}

}  // namespace pfe
