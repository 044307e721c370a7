// SPDX-License-Identifier: Apache-2.0
// The sample lines of comms, and those by breakdown.
#ifndef EXPORTER_RENDER_SUM_LINES_H_
#define EXPORTER_RENDER_SUM_LINES_H_

#include <string>
#include <string_view>
#include <vector>

#include "follow/sums.h"

namespace pfe {

struct CommSamples {
  std::string faults, stall, processes, vma, rss;
};

// Of all comms that have or had a process.
CommSamples RenderCommSamples(const std::vector<CommSums>& comms);

// The cells of one label set that are not 0; `labels` lacks its closing brace.
void AppendCells(std::string_view name, std::string_view labels,
                 const Breakdown& cells, std::string* out);

}  // namespace pfe

#endif  // EXPORTER_RENDER_SUM_LINES_H_
