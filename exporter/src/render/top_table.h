// SPDX-License-Identifier: Apache-2.0
// Renders the table of --top.
#ifndef EXPORTER_RENDER_TOP_TABLE_H_
#define EXPORTER_RENDER_TOP_TABLE_H_

#include <string>

#include "render/view.h"

namespace pfe {

// Lists the `rows` processes with the most faults a second; in the first tick,
// which has no rates, those with the most faults. Control characters in a comm
// become "?".
std::string RenderTop(const View& view, size_t rows);

}  // namespace pfe

#endif  // EXPORTER_RENDER_TOP_TABLE_H_
