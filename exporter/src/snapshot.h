// SPDX-License-Identifier: Apache-2.0
// What was read at one moment: plain data, immutable once it is shared.
#ifndef EXPORTER_SNAPSHOT_H_
#define EXPORTER_SNAPSHOT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "result.h"

namespace pfe {

// Severity x access x kind; the index is (severity * 3 + access) * 4 + kind.
inline constexpr size_t kSeverities = 2;
inline constexpr size_t kAccesses = 3;
inline constexpr size_t kKinds = 4;
inline constexpr size_t kBreakdown = kSeverities * kAccesses * kKinds;
inline constexpr std::array<const char*, kSeverities> kSeverityNames = {
    "minor", "major"};
inline constexpr std::array<const char*, kAccesses> kAccessNames = {
    "read", "write", "exec"};
inline constexpr std::array<const char*, kKinds> kKindNames = {
    "anon", "file", "shmem", "hugetlb"};

// One process. Its identity is (pid, start_ns), never the pid alone. Counters
// are faults since the source began to count; sizes are in kB.
struct Process {
  uint64_t pid = 0;
  uint64_t start_ns = 0;  // boot time
  bool live = false;
  uint64_t vma_kb = 0;
  uint64_t rss_kb = 0;
  uint64_t rss_anon_kb = 0;
  uint64_t rss_file_kb = 0;
  uint64_t rss_shmem_kb = 0;
  uint64_t swap_kb = 0;
  uint64_t faults = 0;
  uint64_t minor = 0;
  uint64_t major = 0;
  uint64_t stall_ns = 0;
  std::array<uint64_t, kBreakdown> breakdown{};
  std::string comm;  // valid UTF-8
};

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
  std::vector<Process> processes;
  Offered offered;
  Stats stats;
  Latency latency;
  // Why a preferred source could not be read, if this is not that.
  std::optional<Error> fell_back;
};

}  // namespace pfe

#endif  // EXPORTER_SNAPSHOT_H_
