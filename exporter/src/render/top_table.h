// SPDX-License-Identifier: Apache-2.0
// The table for a person: --top.
#ifndef EXPORTER_RENDER_TOP_TABLE_H_
#define EXPORTER_RENDER_TOP_TABLE_H_

#include <string>

#include "render/view.h"

namespace pfe {

// The `rows` processes with the most faults a second, or before there is a
// second tick the most faults; control characters in a comm are shown as "?".
std::string RenderTop(const View& view, size_t rows);

}  // namespace pfe

#endif  // EXPORTER_RENDER_TOP_TABLE_H_
