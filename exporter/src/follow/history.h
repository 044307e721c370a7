// SPDX-License-Identifier: Apache-2.0
// The last ticks of the busiest processes and of the host, for sparklines.
#ifndef EXPORTER_FOLLOW_HISTORY_H_
#define EXPORTER_FOLLOW_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "follow/follower.h"
#include "follow/identity_index.h"

namespace pfe {

// One tick: rates per second, and bytes.
struct HistoryPoint {
  double faults = 0;
  double major = 0;
  double stall = 0;  // seconds per second
  uint64_t rss_bytes = 0;
};

// One tick of the host and of its busiest processes.
struct HistoryTick {
  struct OfProcess {
    Identity identity;
    HistoryPoint point;
  };

  uint64_t read_ns = 0;  // boot time
  double unix_seconds = 0;
  bool has_rates = false;  // the first tick has none
  HistoryPoint host;
  std::vector<OfProcess> processes;  // ordered by identity
};

// A value that is cheap to copy: copies share their ticks, which never change.
class History {
 public:
  using Ticks = std::vector<std::shared_ptr<const HistoryTick>>;

  // A number of ticks and not a time: a sparkline has room for a fixed number
  // of points, and the memory has the same bound at each interval.
  static constexpr size_t kTicks = 60;
  static constexpr size_t kProcesses = 200;
  // If a process was not among the busiest for longer than this, its history
  // starts again.
  static constexpr uint64_t kLongestGapNs = 25'000'000'000;

  // Appends a tick and drops the oldest one if there are more than kTicks.
  void Add(const FollowedTick& tick, const Sums::All& comms,
           double unix_seconds);

  // The points of a process, oldest first. There is no point for a tick in
  // which it was not among the busiest.
  std::vector<HistoryPoint> Of(const Process& process) const;
  const Ticks& ticks() const { return ticks_; }  // oldest first

 private:
  Ticks ticks_;
};

// The point of a process or comm for a tick that took `seconds`.
HistoryPoint PointOf(const Counters& growth, uint64_t rss_kb, double seconds);

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_HISTORY_H_
