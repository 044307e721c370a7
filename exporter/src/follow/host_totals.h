// SPDX-License-Identifier: Apache-2.0
// The counters that belong to the host and to no process. They continue when
// the module is reloaded.
#ifndef EXPORTER_FOLLOW_HOST_TOTALS_H_
#define EXPORTER_FOLLOW_HOST_TOTALS_H_

#include <cstdint>

#include "base/snapshot.h"

namespace pfe {

// The module's host counters, its latency histogram, and the faults that no row
// ever showed. The module starts each of them at 0 when it is loaded, so the
// counts of earlier loads are added. No other source offers them: while another
// source is read, they keep their values.
//
// A value type: a tick changes a copy.
class HostTotals {
 public:
  struct Tick {
    bool first = false;        // the first of all ticks
    bool new_source = false;   // the source is another one than before
    bool count_first = false;  // see Follower
    // What the source had counted for rows that it no longer lists.
    uint64_t gone_faults = 0;
  };

  void Update(const Snapshot& snapshot, const Tick& tick);

  const HostCounters& counters() const { return counters_; }
  const Latency& latency() const { return latency_; }
  // Faults in no row that a tick read: of rows that the module dropped before,
  // of kernel threads, of exiting processes without a row, and of processes
  // that found no room in the table.
  uint64_t unattributed() const { return unattributed_; }

 private:
  void UpdateUnattributed(const Snapshot& snapshot, const Tick& tick);
  void UpdateCounters(const Snapshot& snapshot);

  uint64_t load_ = 0;  // epoch of the module's load that counters_ is from
  HostCounters counters_, counters_before_;  // _before_: earlier loads
  Latency latency_, latency_before_;
  uint64_t gone_faults_ = 0;  // since the source last changed
  uint64_t unattributed_ = 0;
  uint64_t unattributed_before_ = 0;  // of earlier loads
  uint64_t unattributed_base_ = 0;    // the count at the source's change
};

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_HOST_TOTALS_H_
