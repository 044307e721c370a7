// SPDX-License-Identifier: Apache-2.0
// The last ticks of the busiest processes and of the host, for sparklines.
#ifndef EXPORTER_FOLLOW_HISTORY_H_
#define EXPORTER_FOLLOW_HISTORY_H_

#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "follow/tracker.h"

namespace pfe {

// One tick: per second, and bytes.
struct HistoryPoint {
  double faults = 0;
  double major = 0;
  double stall = 0;  // seconds per second
  uint64_t rss_bytes = 0;
};

struct HostPoint {
  double unix_seconds = 0;
  HistoryPoint point;
};

class History {
 public:
  static constexpr size_t kTicks = 60;
  static constexpr size_t kProcesses = 200;
  using Identity = std::pair<uint64_t, uint64_t>;  // pid, start_ns
  using Points = std::vector<HistoryPoint>;        // oldest first

  // Notes a tick of the busiest processes and of the host.
  void Add(const Tracker& tracker, double unix_seconds);

  // Null if the process was not among the busiest.
  const Points* Of(const Process& process) const;
  const std::deque<HostPoint>& host() const { return host_; }

 private:
  struct Kept {
    Points points;
    uint64_t seen = 0;  // the last tick it was there
  };

  uint64_t tick_ = 0;
  std::map<Identity, Kept> processes_;
  std::deque<HostPoint> host_;
};

// What a process or comm did in a tick of so many seconds.
HistoryPoint PointOf(const Counters& growth, uint64_t rss_kb, double seconds);

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_HISTORY_H_
