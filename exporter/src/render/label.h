// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_RENDER_LABEL_H_
#define EXPORTER_RENDER_LABEL_H_

#include <string>
#include <string_view>

namespace pfe {

// Passes a label's value to `put`, byte by byte, escaped as Prometheus's text
// format requires: backslash, double quote and newline.
template <typename Put>
void EscapeLabelValue(std::string_view value, Put put) {
  for (char c : value) {
    if (c == '\\' || c == '"' || c == '\n') put('\\');
    put(c == '\n' ? 'n' : c);
  }
}

inline void AppendLabelValue(std::string_view value, std::string* out) {
  EscapeLabelValue(value, [out](char c) { *out += c; });
}

}  // namespace pfe

#endif  // EXPORTER_RENDER_LABEL_H_
