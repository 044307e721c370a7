// SPDX-License-Identifier: Apache-2.0
// Renders the samples of comms, and the samples by breakdown of comms and of
// processes.
#ifndef EXPORTER_RENDER_COMM_SAMPLES_H_
#define EXPORTER_RENDER_COMM_SAMPLES_H_

#include <string_view>

#include "follow/sums.h"
#include "render/catalogue.h"
#include "render/sample_writer.h"

namespace pfe {

struct CommSamples {
  SampleWriter faults, stall, processes, vma, rss;
};

// Renders all comms that have or had a process.
CommSamples RenderCommSamples(const Sums::Comms& comms);

// Appends a sample for each cell of a breakdown that is not 0.
void AppendCells(Metric metric, std::string_view labels, const Breakdown& cells,
                 SampleWriter* out);

}  // namespace pfe

#endif  // EXPORTER_RENDER_COMM_SAMPLES_H_
