// SPDX-License-Identifier: Apache-2.0
// The counters of a process, and their growth from one tick to the next.
#ifndef EXPORTER_FOLLOW_COUNTERS_H_
#define EXPORTER_FOLLOW_COUNTERS_H_

#include <cstddef>
#include <cstdint>

#include "base/process_table.h"

namespace pfe {

struct Counters {
  uint64_t faults = 0;
  uint64_t minor = 0;
  uint64_t major = 0;
  uint64_t stall_ns = 0;

  Counters& operator+=(const Counters& other) {
    faults += other.faults;
    minor += other.minor;
    major += other.major;
    stall_ns += other.stall_ns;
    return *this;
  }
  // Wraps modulo 2^64, because an offset can be negative.
  Counters operator-(const Counters& other) const {
    return {faults - other.faults, minor - other.minor, major - other.major,
            stall_ns - other.stall_ns};
  }
};

inline Counters CountersOf(const Process& process) {
  return {process.faults, process.minor, process.major, process.stall_ns};
}

inline void SetCounters(const Counters& counters, Process* process) {
  process->faults = counters.faults;
  process->minor = counters.minor;
  process->major = counters.major;
  process->stall_ns = counters.stall_ns;
}

// A counter that decreases contributes no growth.
inline uint64_t Growth(uint64_t before, uint64_t now) {
  return now > before ? now - before : 0;
}

inline Counters GrowthOf(const Counters& before, const Counters& now) {
  return {Growth(before.faults, now.faults), Growth(before.minor, now.minor),
          Growth(before.major, now.major),
          Growth(before.stall_ns, now.stall_ns)};
}

// The growth of one row in one tick.
struct RowGrowth {
  Counters counters;
  SlowFaults slow{};
  uint32_t cells = 0;  // bits of the breakdown's cells that grew
  Breakdown by_cell;   // set for these cells only

  void Clear() {
    counters = {};
    slow = {};
    cells = 0;
  }
  void SetCell(size_t cell, uint64_t count) {
    by_cell[cell] = count;
    cells |= 1u << cell;
  }
};

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_COUNTERS_H_
