// SPDX-License-Identifier: Apache-2.0
#include "follow/history.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "follow/ranking.h"

namespace pfe {
namespace {

bool Before(const Identity& a, const Identity& b) {
  return std::tie(a.pid, a.start) < std::tie(b.pid, b.start);
}

std::vector<HistoryTick::OfProcess> Busiest(const FollowedTick& tick) {
  const ProcessTable& processes = tick.rows->processes;
  FirstN first(History::kProcesses);
  for (uint32_t i = 0; i < processes.size(); ++i)
    if (processes[i].live)
      first.Offer({tick.states[i].recent, 0, processes[i].pid, i});
  std::vector<HistoryTick::OfProcess> busiest;
  for (const Rank& rank : first.Take()) {
    const Process& process = processes[rank.index];
    busiest.push_back(
        {{process.pid, process.start_ns},
         PointOf(tick.rows->growth[rank.index], process.rss_kb, tick.seconds)});
  }
  std::sort(busiest.begin(), busiest.end(), [](const auto& a, const auto& b) {
    return Before(a.identity, b.identity);
  });
  return busiest;
}

HistoryPoint HostPoint(const Sums::All& comms, double seconds) {
  Counters growth;
  uint64_t rss_kb = 0;
  for (const NamedSums& sums : comms) {
    growth += sums.growth;
    rss_kb += sums.rss_kb;
  }
  return PointOf(growth, rss_kb, seconds);
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

void History::Add(const FollowedTick& tick, const Sums::All& comms,
                  double unix_seconds) {
  auto added = std::make_shared<HistoryTick>();
  added->read_ns = tick.read_ns;
  added->unix_seconds = unix_seconds;
  added->has_rates = tick.seconds > 0;
  added->host = HostPoint(comms, tick.seconds);
  added->processes = Busiest(tick);
  ticks_.push_back(std::move(added));
  if (ticks_.size() > kTicks) ticks_.erase(ticks_.begin());
}

std::vector<HistoryPoint> History::Of(const Process& process) const {
  const Identity wanted = {process.pid, process.start_ns};
  std::vector<HistoryPoint> points;
  if (ticks_.empty()) return points;
  uint64_t last_ns = ticks_.back()->read_ns;  // of the last point found
  bool gap = false;
  for (auto tick = ticks_.rbegin(); tick != ticks_.rend(); ++tick) {
    const auto& processes = (*tick)->processes;
    const auto found = std::lower_bound(
        processes.begin(), processes.end(), wanted,
        [](const auto& a, const Identity& b) { return Before(a.identity, b); });
    if (found == processes.end() || found->identity != wanted) {
      gap = true;
      continue;
    }
    if (gap && last_ns - (*tick)->read_ns > kLongestGapNs) break;
    points.push_back(found->point);
    last_ns = (*tick)->read_ns;
    gap = false;
  }
  std::reverse(points.begin(), points.end());
  return points;
}

}  // namespace pfe
