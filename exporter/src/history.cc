// SPDX-License-Identifier: Apache-2.0
#include "history.h"

#include <algorithm>

namespace pfe {
namespace {

std::vector<const Tracked*> MostRecent(const std::vector<Tracked>& processes,
                                       size_t n) {
  std::vector<const Tracked*> live;
  live.reserve(processes.size());
  for (const Tracked& tracked : processes)
    if (tracked.process.live) live.push_back(&tracked);
  if (live.size() > n) {
    const auto end = live.begin() + static_cast<ptrdiff_t>(n);
    std::nth_element(live.begin(), end, live.end(),
                     [](const Tracked* a, const Tracked* b) {
                       return a->recent > b->recent;
                     });
    live.erase(end, live.end());
  }
  return live;
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
  for (const Tracked* tracked : MostRecent(tracker.processes(), kProcesses)) {
    Kept& kept =
        processes_[{tracked->process.pid, tracked->process.start_ns}];
    kept.seen = tick_;
    kept.points.push_back(PointOf(tracked->growth, tracked->process.rss_kb,
                                  tracker.seconds()));
    if (kept.points.size() > kTicks) kept.points.pop_front();
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
    host_.push_back(
        {unix_seconds, PointOf(growth, rss_kb, tracker.seconds())});
  if (host_.size() > kTicks) host_.pop_front();
}

const History::Points* History::Of(const Process& process) const {
  const auto found = processes_.find({process.pid, process.start_ns});
  return found == processes_.end() ? nullptr : &found->second.points;
}

}  // namespace pfe
