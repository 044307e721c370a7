// SPDX-License-Identifier: Apache-2.0
// Renders the samples of comms, and the samples by breakdown of comms and of
// processes.
#ifndef EXPORTER_RENDER_COMM_SAMPLES_H_
#define EXPORTER_RENDER_COMM_SAMPLES_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "follow/sums.h"
#include "render/catalogue.h"
#include "render/sample_writer.h"

namespace pfe {

struct CounterSamples {
  SampleWriter samples;
  SampleWriter with_created;  // for OpenMetrics; empty if not wanted
};

struct CommSamples {
  CounterSamples faults, stall, slow;
  SampleWriter processes, vma, rss;
};

// Renders all comms that have or had a process. If `created_boot_unix_ns` is
// set, it is when the machine booted, and counters are also rendered with the
// time since when they count.
CommSamples RenderCommSamples(const Sums::Comms& comms,
                              std::optional<uint64_t> created_boot_unix_ns);

// Appends a sample for each cell of a breakdown that is not 0.
void AppendCells(Metric metric, std::string_view labels, const Breakdown& cells,
                 SampleWriter* out);

}  // namespace pfe

#endif  // EXPORTER_RENDER_COMM_SAMPLES_H_
