// SPDX-License-Identifier: Apache-2.0
// Keeps the counters of a process continuous when the source changes.
#ifndef EXPORTER_FOLLOW_CONTINUITY_H_
#define EXPORTER_FOLLOW_CONTINUITY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/process_table.h"
#include "follow/counters.h"

namespace pfe {

// Until the source changes, a process is exported with the source's own values.
// Each source counts from another moment: /proc since the process started, the
// module since it was loaded. On a change of source, the exported values stay
// as they are and the offset to the new source is recorded:
//
//   offset = exported value - source value        (modulo 2^64)
//
// From then on the exported value grows by what the source's value grows. A
// source's counter that decreases contributes no growth, and when it recovers,
// that growth is not counted a second time.
//
// The state of the last tick does not change before Commit(). If a tick fails
// before that, it has no effect.
class Continuity {
 public:
  // The slot of a row that needs no offset.
  static constexpr uint32_t kNoOffset = 0;

  // Starts a tick. `old_rows` is the number of rows in the tick before.
  // `new_source` says whether the source has changed since then.
  void Begin(bool new_source, size_t old_rows);

  // Replaces the source's values in `*row` of `table` by the exported ones.
  // `old` of `old_table` is the same process in the tick before, and `slot` is
  // what this function returned for it then. Sets `growth` and returns the
  // row's slot.
  uint32_t Continue(const ProcessTable& old_table, const Process& old,
                    uint32_t slot, ProcessTable* table, Process* row,
                    RowGrowth* growth);

  // The source's own count of faults for a row of the last tick.
  uint64_t SourceFaults(const Process& old, uint32_t slot) const;

  void Commit() noexcept;

 private:
  struct Offset {
    Counters counters;
    SlowFaults slow;
    Breakdown breakdown;
  };

  uint32_t Restart(const ProcessTable& old_table, const Process& old,
                   ProcessTable* table, Process* row);
  void GrowBreakdown(const ProcessTable& old_table, const Process& old,
                     const Offset* offset, ProcessTable* table, Process* row,
                     RowGrowth* growth) const;
  void GrowSlow(const ProcessTable& old_table, const Process& old,
                const Offset* offset, ProcessTable* table, Process* row,
                RowGrowth* growth) const;
  const Offset* OffsetAt(uint32_t slot) const {
    return slot == kNoOffset ? nullptr : &offsets_[slot - 1];
  }

  bool new_source_ = false;
  // The index is slot - 1. The offset of a process that is gone stays until the
  // source changes again. So there are at most as many offsets as there were
  // rows at the last change.
  std::vector<Offset> offsets_;
  std::vector<Offset> next_offsets_;  // of the tick that is under way
};

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_CONTINUITY_H_
