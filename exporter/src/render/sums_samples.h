// SPDX-License-Identifier: Apache-2.0
// Renders the samples of sums by name, and the samples by breakdown of sums and
// of processes.
#ifndef EXPORTER_RENDER_SUMS_SAMPLES_H_
#define EXPORTER_RENDER_SUMS_SAMPLES_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "follow/sums.h"
#include "render/catalogue.h"
#include "render/sample_writer.h"

namespace pfe {

// The families of one kind of names.
struct SumsFamilies {
  const char* label;  // whose value is the name
  Metric faults, stall, slow, processes, vma, rss;
  std::optional<Metric> swap;
  // The faults have the labels access and kind besides severity.
  bool by_cell;
};

struct CounterSamples {
  SampleWriter samples;
  SampleWriter with_created;  // for OpenMetrics; empty if not wanted
};

struct SumsSamples {
  CounterSamples faults, stall, slow;
  SampleWriter processes, vma, rss, swap;
};

// Renders all names that have or had a process. If `created_boot_unix_ns` is
// set, it is when the machine booted, and counters are also rendered with the
// time since when they count.
SumsSamples RenderSumsSamples(const SumsFamilies& families,
                              const Sums::All& all,
                              std::optional<uint64_t> created_boot_unix_ns);

// Whether there are samples of these sums: a bucket that never had a process
// has none.
bool HasSamples(const NamedSums& sums);

// Appends a sample for each cell of a breakdown that is not 0.
void AppendCells(Metric metric, std::string_view labels, const Breakdown& cells,
                 SampleWriter* out);

}  // namespace pfe

#endif  // EXPORTER_RENDER_SUMS_SAMPLES_H_
