// SPDX-License-Identifier: Apache-2.0
// A table of processes. Rows have a fixed size. Comms and breakdowns vary in
// size, and few processes have slow faults, so these are stored in arrays
// beside the rows. A row therefore needs no allocation of its own, and a table
// that is refilled each tick reuses its memory.
#ifndef EXPORTER_BASE_PROCESS_TABLE_H_
#define EXPORTER_BASE_PROCESS_TABLE_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pfe {

// Severity x access x kind; the index is (severity * 3 + access) * 4 + kind.
inline constexpr size_t kSeverities = 2;
inline constexpr size_t kAccesses = 3;
inline constexpr size_t kKinds = 4;
inline constexpr size_t kBreakdownCells = kSeverities * kAccesses * kKinds;
inline constexpr std::array<const char*, kSeverities> kSeverityNames = {
    "minor", "major"};
inline constexpr std::array<const char*, kAccesses> kAccessNames = {
    "read", "write", "exec"};
inline constexpr std::array<const char*, kKinds> kKindNames = {
    "anon", "file", "shmem", "hugetlb"};

// The bounds of slow faults, in seconds. A fault that took longer than one of
// them counts for it and for each smaller one.
inline constexpr std::array<const char*, 4> kSlowBounds = {"0.001", "0.01",
                                                           "0.1", "1"};
using SlowFaults = std::array<uint64_t, kSlowBounds.size()>;

using Breakdown = std::array<uint64_t, kBreakdownCells>;

// Calls `function` with the index of each set bit, lowest first.
template <typename Function>
void ForEachCell(uint32_t cells, Function function) {
  for (; cells; cells &= cells - 1)
    function(static_cast<size_t>(std::countr_zero(cells)));
}

// One process. Its identity is (pid, start_ns), because the kernel reuses pids.
// Counters count since the source began to count; sizes are in kB.
struct Process {
  uint64_t start_ns = 0;  // boot time
  uint64_t vma_kb = 0;
  uint64_t rss_kb = 0;
  uint64_t rss_anon_kb = 0;
  uint64_t rss_file_kb = 0;
  uint64_t rss_shmem_kb = 0;
  uint64_t swap_kb = 0;
  uint64_t hugetlb_kb = 0;  // in huge pages of hugetlb, which are in no RSS
  uint64_t faults = 0;
  uint64_t minor = 0;
  uint64_t major = 0;
  uint64_t stall_ns = 0;
  uint64_t cgroup = 0;  // id of its control group; 0: unknown
  uint32_t pid = 0;
  // Positions of the comm, of the counts by breakdown and of the slow faults in
  // the table's arrays. If bit i of `cells` is set, cell i of the breakdown has
  // a count. Likewise `slow_bits` has a bit for each bound; most rows have
  // none, and then `slow_at` is not used.
  uint32_t comm_at = 0;
  uint32_t counts_at = 0;
  uint32_t cells = 0;
  uint32_t slow_at = 0;
  uint16_t comm_size = 0;
  uint8_t slow_bits = 0;
  bool live = false;
};

class ProcessTable {
 public:
  // Removes all rows. Keeps the memory for the next rows, unless the last rows
  // used little of it.
  void Clear();
  // Appends a row. Pointers to other rows become invalid.
  Process* Add() { return &rows_.emplace_back(); }
  // Sets the comm of the last row: valid UTF-8, of at most 65535 bytes.
  void SetComm(std::string_view comm);
  // Sets the breakdown of any row: the counts of the cells whose bits are set.
  void SetBreakdown(uint32_t cells, const Breakdown& counts, Process* row);
  // Sets the slow faults of any row.
  void SetSlow(const SlowFaults& slow, Process* row);

  size_t size() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }
  const Process& operator[](size_t i) const { return rows_[i]; }
  Process& operator[](size_t i) { return rows_[i]; }
  auto begin() const { return rows_.begin(); }
  auto end() const { return rows_.end(); }

  std::string_view comm(const Process& row) const {
    return std::string_view(comms_).substr(row.comm_at, row.comm_size);
  }
  // The counts of the cells whose bits are set, lowest bit first.
  const uint64_t* counts(const Process& row) const {
    return counts_.data() + row.counts_at;
  }
  Breakdown breakdown(const Process& row) const;
  SlowFaults slow(const Process& row) const {
    return row.slow_bits ? slow_[row.slow_at] : SlowFaults{};
  }

 private:
  std::vector<Process> rows_;
  std::string comms_;
  std::vector<uint64_t> counts_;
  std::vector<SlowFaults> slow_;
};

}  // namespace pfe

#endif  // EXPORTER_BASE_PROCESS_TABLE_H_
