// SPDX-License-Identifier: Apache-2.0
// Renders the table of --top.
#ifndef EXPORTER_RENDER_TOP_TABLE_H_
#define EXPORTER_RENDER_TOP_TABLE_H_

#include <cstddef>
#include <string>

#include "render/view.h"

namespace pfe {

// What a row is: a process, or all with the same name.
enum class TopBy { kProcess, kComm, kGroup, kCgroup };

struct TopSettings {
  size_t rows = 20;
  TopBy by = TopBy::kProcess;
  // An RE2 expression. Only names that contain a match are in the table: comms,
  // groups, or what is shown of a control group or its path. Empty: all.
  std::string filter;
};

// Lists the rows with the most faults a second; in the first tick, which has no
// rates, those with the most faults. Control characters in a name become "?".
// In `width` columns names are cut, and less important numbers are left out; 0
// is no limit.
std::string RenderTop(const View& view, const TopSettings& settings,
                      size_t width);

}  // namespace pfe

#endif  // EXPORTER_RENDER_TOP_TABLE_H_
