// SPDX-License-Identifier: Apache-2.0
// Turns successive snapshots into exported values.
//
// How it works. Each tick, a source gives one table of processes. Each source
// decides from when on its counters count. For each row of the new table the
// follower
//   1. finds the same process among the rows of the tick before
//      (IdentityMatcher),
//   2. replaces the source's counters by exported ones, which never decrease
//      while the process is there, and finds their growth (Continuity),
//   3. adds the growth to the sums of the process's comm, and to those of its
//      control group and of its group (Sums).
// Counters that belong to no process go to HostTotals.
//
// Invariants
//   - Each fault of a process is added to the sums once. A process that is new
//     adds all that it has counted, with one exception: when the source has
//     changed, and with a source that can miss a process for a tick, it may be
//     an old process that was not found. Then it adds its counts only if it
//     started after the last tick.
//   - In a running service the sums are 0 at the first tick. If they began with
//     the counts of the first snapshot, they would be smaller than before after
//     a restart, but not 0. Prometheus takes a counter that decreases for a
//     reset, and would show the first value after it as a spike.
//
// Follow() prepares a tick, and Commit() makes it the last tick. A tick that is
// not committed has no effect. No row needs an allocation of its own: a table
// is refilled when no request reads it any more.
//
// For one thread.
#ifndef EXPORTER_FOLLOW_FOLLOWER_H_
#define EXPORTER_FOLLOW_FOLLOWER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/row_names.h"
#include "base/snapshot.h"
#include "follow/continuity.h"
#include "follow/host_totals.h"
#include "follow/identity_matcher.h"
#include "follow/row_name_sums.h"
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
  // Copied from the snapshot.
  std::string source;
  uint64_t epoch = 0;
  uint64_t read_ns = 0;
};

class Follower {
 public:
  // `count_first`: the sums begin with the counts of the first snapshot and not
  // with 0. For --once and --top, which do not run for long.
  Follower(size_t max_comms, bool count_first);

  void set_max_comms(size_t max_comms) { sums_.set_max(max_comms); }
  // With 0 there are no sums by control group, or by group. `by_cell`: see
  // Sums; it applies to sums that begin after the call.
  void set_max_cgroups(size_t max, bool by_cell);
  void set_max_groups(size_t max);
  // See Sums::ReleasePlaces().
  void ReleaseGroupPlaces() { groups_.ReleasePlaces(); }
  // For how long the growth of a new counter of sums is held back: see Births.
  void set_birth_hold(uint64_t ns);

  // Prepares a tick. `rows->processes` is the table that was read with
  // `snapshot`; snapshot.processes is not used. The counters in it are replaced
  // by exported values. `interrupted`: see Sums::Begin(). `cgroups` has the
  // control group of each row, `groups` its group; each is needed if there are
  // sums by it. Returns the pid of a process that two rows are of: then the
  // tick must not be committed.
  std::optional<uint32_t> Follow(const Snapshot& snapshot,
                                 std::shared_ptr<Rows> rows, bool interrupted,
                                 const RowNames* cgroups = nullptr,
                                 const RowNames* groups = nullptr);
  // Makes the prepared tick the last one.
  void Commit() noexcept;

  // The tick that Follow() prepared, until Commit().
  const FollowedTick& prepared() const { return next_; }
  // The last committed tick, and its sums.
  const FollowedTick& last() const { return last_; }
  const Sums& sums() const { return sums_; }
  // Null if there are no such sums.
  const Sums* cgroup_sums() const { return cgroups_.get(); }
  const Sums* group_sums() const { return groups_.get(); }

 private:
  void Begin(const Snapshot& snapshot, const Rows& rows, bool interrupted);
  void FollowRows(Rows* rows, const RowNames* cgroups, const RowNames* groups);
  std::optional<uint32_t> PidOfTwoRows(const ProcessTable& processes);
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
  RowNameSums cgroups_, groups_;
  bool may_be_old_ = false;  // whether a process that is not found may be old
  float fade_ = 1;           // recent faults are multiplied by it in this tick
  RowGrowth growth_;         // of the current row
  std::vector<uint32_t> unmatched_;  // rows that can be one process
};

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_FOLLOWER_H_
