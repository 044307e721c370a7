// SPDX-License-Identifier: Apache-2.0
// What a source has read at one moment.
#ifndef EXPORTER_BASE_SNAPSHOT_H_
#define EXPORTER_BASE_SNAPSHOT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/process_table.h"
#include "base/result.h"

namespace pfe {

// Which optional columns the source offers. A column that is not offered is 0
// in every process and must not be exported.
struct Offered {
  bool rss_split = false;
  bool swap = false;
  bool severity = false;
  bool stall = false;
  bool breakdown = false;
  bool hugetlb = false;
  bool slow = false;
  bool cgroup = false;
};

// Calls and faults that belong to the host and to no process, counted since
// the source began to count.
enum class HostCounter {
  kRetried,
  kSigbus,
  kSigsegv,
  kOom,
  kHwpoison,
  kCount,
};
// By HostCounter; absent if the source does not offer it.
using HostCounters = std::array<std::optional<uint64_t>,
                                static_cast<size_t>(HostCounter::kCount)>;

// What the module says about itself.
enum class ModuleNumber {
  kLoadedNs,  // boot time
  kCapacity,
  kBlocks,
  kBlocksUsed,
  kLive,
  kExited,
  kRetiredRows,
  kRetiredFaults,
  kOverflowFaults,
  kProbeMissed,
  kKernelPgfault,
  kDrift,
  kRowsDiffer,
  kCount,
};
struct ModuleStats {
  std::string version;
  std::string detail;       // the module's parameter of that name
  std::string hook;         // how it sees faults; empty if it does not say
  std::string hook_reason;  // why hook=auto uses no direct call, or empty
  std::string clock;        // which times faults; empty if they are not timed
  // By ModuleNumber; absent if the module does not offer it.
  std::array<std::optional<int64_t>, static_cast<size_t>(ModuleNumber::kCount)>
      numbers;

  const std::optional<int64_t>& operator[](ModuleNumber number) const {
    return numbers[static_cast<size_t>(number)];
  }
  std::optional<int64_t>& operator[](ModuleNumber number) {
    return numbers[static_cast<size_t>(number)];
  }
};

// A cumulative histogram of the time that faults of one severity took.
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
  // Counters of one source continue within an epoch. In another epoch, such as
  // after the module was loaded again, they begin at 0.
  uint64_t epoch = 0;
  uint64_t read_ns = 0;  // boot time just before the read
  // A read can miss a process that is there. So a process that the read before
  // did not see need not be new.
  bool can_miss_processes = false;
  ProcessTable processes;
  Offered offered;
  HostCounters host;
  std::optional<ModuleStats> module;  // if the source is the module
  Latency latency;
  // Why the preferred source could not be read. Set if this snapshot is from
  // the fallback, or if the fallback could not be read either.
  std::optional<Error> fell_back;
  std::string limited;  // which processes are not there; empty if all are

  // Empties the snapshot, but keeps the table's memory for the next read.
  void Clear() {
    ProcessTable table = std::move(processes);
    table.Clear();
    *this = Snapshot();
    processes = std::move(table);
  }
};

}  // namespace pfe

#endif  // EXPORTER_BASE_SNAPSHOT_H_
