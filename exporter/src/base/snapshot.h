// SPDX-License-Identifier: Apache-2.0
// What was read at one moment.
#ifndef EXPORTER_BASE_SNAPSHOT_H_
#define EXPORTER_BASE_SNAPSHOT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/process_table.h"
#include "base/result.h"

namespace pfe {

// Which optional columns the source offered. One that is not offered is 0 in
// every process and must not be exported.
struct Offered {
  bool rss_split = false;
  bool swap = false;
  bool severity = false;
  bool stall = false;
  bool breakdown = false;
};

// The source's word on itself: numbers and texts by key.
struct Stats {
  std::map<std::string, int64_t, std::less<>> numbers;
  std::map<std::string, std::string, std::less<>> texts;
};

// Cumulative histogram of the time faults took, one severity.
struct Histogram {
  std::vector<uint64_t> counts;  // of faults that took at most bounds_ns[i]
  uint64_t count = 0;
  uint64_t sum_ns = 0;
};

struct Latency {
  std::vector<uint64_t> bounds_ns;  // ascending; empty if not offered
  std::array<Histogram, kSeverities> severities;
};

struct Snapshot {
  std::string source;  // the label `source` of metrics
  // Counters of one source go on within one epoch; with another one (a module
  // loaded anew) they begin anew.
  uint64_t epoch = 0;
  uint64_t read_ns = 0;  // boot time just before the read
  ProcessTable processes;
  Offered offered;
  Stats stats;
  Latency latency;
  // Why a preferred source could not be read, if this is not that.
  std::optional<Error> fell_back;

  // Empties it; the memory of the table is kept for the next read.
  void Clear() {
    ProcessTable table = std::move(processes);
    table.Clear();
    *this = Snapshot();
    processes = std::move(table);
  }
};

}  // namespace pfe

#endif  // EXPORTER_BASE_SNAPSHOT_H_
