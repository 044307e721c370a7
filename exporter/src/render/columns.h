// SPDX-License-Identifier: Apache-2.0
// The families that have lines for each selected process, except those by
// breakdown and of control groups.
#ifndef EXPORTER_RENDER_COLUMNS_H_
#define EXPORTER_RENDER_COLUMNS_H_

#include <cstdint>
#include <span>

#include "base/process_table.h"
#include "render/catalogue.h"

namespace pfe {

// One line of a process within a family.
struct Line {
  uint64_t Process::*number;
  const char* type = "";  // the label `type`, if it has one
};

// A family that has one line for each process, or one for each of `lines`.
struct Column {
  enum Form { kNumber, kKilobytes, kSeconds, kStartTime };
  Metric metric;
  Form form;
  std::span<const Line> lines;
  bool skips_zero = false;  // a process whose value is 0 has no line
};

inline constexpr Line kFaultLines[] = {{&Process::faults}};
inline constexpr Line kVmaLines[] = {{&Process::vma_kb}};
inline constexpr Line kRssLines[] = {{&Process::rss_kb}};
inline constexpr Line kMajorLines[] = {{&Process::major}};
inline constexpr Line kStallLines[] = {{&Process::stall_ns}};
inline constexpr Line kStartLines[] = {{&Process::start_ns}};
inline constexpr Line kRssByTypeLines[] = {{&Process::rss_anon_kb, "anon"},
                                           {&Process::rss_file_kb, "file"},
                                           {&Process::rss_shmem_kb, "shmem"}};
inline constexpr Line kSwapLines[] = {{&Process::swap_kb}};
inline constexpr Line kHugetlbLines[] = {{&Process::hugetlb_kb}};

inline constexpr Column kFaults = {Metric::kFaults, Column::kNumber,
                                   kFaultLines};
inline constexpr Column kVma = {Metric::kVma, Column::kKilobytes, kVmaLines};
inline constexpr Column kRss = {Metric::kRss, Column::kKilobytes, kRssLines};
inline constexpr Column kMajor = {Metric::kMajor, Column::kNumber, kMajorLines};
inline constexpr Column kStall = {Metric::kStall, Column::kSeconds,
                                  kStallLines};
inline constexpr Column kStart = {Metric::kStart, Column::kStartTime,
                                  kStartLines};
inline constexpr Column kRssByType = {Metric::kRssByType, Column::kKilobytes,
                                      kRssByTypeLines};
inline constexpr Column kSwap = {Metric::kSwap, Column::kKilobytes, kSwapLines};
inline constexpr Column kHugetlb = {Metric::kHugetlb, Column::kKilobytes,
                                    kHugetlbLines, true};

}  // namespace pfe

#endif  // EXPORTER_RENDER_COLUMNS_H_
