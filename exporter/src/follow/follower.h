// SPDX-License-Identifier: Apache-2.0
// Turns successive snapshots into exported values.
//
// How it works. A source gives one table of processes a tick, with counters
// that begin when it likes. For each row of the new table the follower
//   1. finds the same process among the rows of the tick before
//      (IdentityMatcher),
//   2. replaces the source's counters by exported ones, which never decrease
//      while the process is there, and finds their growth (Continuity),
//   3. adds the growth to the sums of the process's comm (Sums).
// What belongs to no process goes to HostTotals.
//
// Invariants
//   - Each fault of a process is added to the sums once. A process that is new
//     adds all that it has counted, unless it may be an old one that was not
//     seen before: on a change of source, and with /proc, which may miss a
//     process for a tick, it does so only if it started after the last tick.
//   - The sums of a service begin with its first tick at 0. If they began with
//     what the first snapshot says, a restart would show them as smaller than
//     before but large, which Prometheus would take for a spike.
//
// Follow() prepares a tick and Commit() takes it over; a tick that is not
// committed is as if it had not been. Nothing is allocated for a row: tables
// are filled again when no request reads them any more.
//
// For one thread.
#ifndef EXPORTER_FOLLOW_FOLLOWER_H_
#define EXPORTER_FOLLOW_FOLLOWER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/snapshot.h"
#include "follow/continuity.h"
#include "follow/host_totals.h"
#include "follow/identity_matcher.h"
#include "follow/rows.h"
#include "follow/sums.h"

namespace pfe {

// What the follower makes of one snapshot.
struct FollowedTick {
  std::shared_ptr<const Rows> rows = std::make_shared<const Rows>();
  std::vector<RowState> states;  // by row
  Changes changes;
  HostTotals host;
  double seconds = 0;  // since the tick before
  // Of the snapshot.
  std::string source;
  uint64_t epoch = 0;
  uint64_t read_ns = 0;
};

class Follower {
 public:
  // `count_first`: the sums begin with what the first snapshot says, for a
  // program that prints one exposition and ends.
  Follower(size_t max_comms, bool count_first);

  void set_max_comms(size_t max_comms) { sums_.set_max_comms(max_comms); }

  // Prepares a tick. `rows->processes` is what was read with `snapshot`, whose
  // own table is not looked at; its counters become exported values.
  void Follow(const Snapshot& snapshot, std::shared_ptr<Rows> rows);
  // Takes the prepared tick over.
  void Commit() noexcept;

  // The tick that Follow() prepared, until Commit().
  const FollowedTick& prepared() const { return next_; }
  // The last tick that was taken over, and its sums.
  const FollowedTick& last() const { return last_; }
  const Sums& sums() const { return sums_; }

 private:
  void Begin(const Snapshot& snapshot, const Rows& rows);
  void FollowRows(Rows* rows);
  void ContinueRow(uint32_t previous, Rows* rows, uint32_t index);
  void StartRow(Rows* rows, uint32_t index);
  void NoteChanges(const Process& old, const Process& process, bool renamed);
  uint64_t FaultsOfGoneRows();

  const bool count_first_;
  bool has_last_ = false;
  FollowedTick last_, next_;
  IdentityMatcher matcher_;
  Continuity continuity_;
  Sums sums_;
  float fade_ = 1;    // what recent faults are multiplied by in this tick
  RowGrowth growth_;  // of the row at hand
};

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_FOLLOWER_H_
