// SPDX-License-Identifier: Apache-2.0
// The rows of one tick.
#ifndef EXPORTER_FOLLOW_ROWS_H_
#define EXPORTER_FOLLOW_ROWS_H_

#include <cstdint>
#include <vector>

#include "base/process_table.h"
#include "base/row_names.h"
#include "follow/counters.h"

namespace pfe {

// Part of the immutable view: shared with requests, and never changed after
// the tick that made it.
struct Rows {
  // Live processes, and exited ones that the source still lists, in the
  // source's order and with exported values.
  ProcessTable processes;
  // By the index of the process: its growth in this tick.
  std::vector<Counters> growth;
  uint64_t youngest_ns = 0;  // the latest start of any row
  // The control group of each row, and its group of rules, as they are named in
  // the sums; empty without such sums.
  KeptRowNames cgroups, groups;
};

inline constexpr uint32_t kNoRow = UINT32_MAX;

// What the tick thread also keeps about each row, by the index of the process.
// Requests do not see it.
struct RowState {
  uint32_t previous = kNoRow;  // index of this process in the tick before
  uint32_t comm = 0;           // index of its comm among the sums
  uint32_t offset = 0;         // see Continuity
  // Recent faults: the growth of past ticks, which decays with time.
  float recent = 0;
  bool renamed = false;  // its comm is another one than in the tick before
};

// Which exported values differ from the tick before, in any row.
struct Changes {
  bool all = false;  // the source is another one
  // Processes came, went, exited or were renamed, or their comms left the
  // bucket.
  bool rows = false;
  bool counters = false;
  bool released = false;  // growth by comm that was held back: see Births
  bool vma = false;
  bool rss = false;
  bool rss_split = false;
  bool swap = false;
  bool hugetlb = false;
  bool cgroup = false;  // a process is in another control group
};

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_ROWS_H_
