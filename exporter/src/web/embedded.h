// SPDX-License-Identifier: Apache-2.0
// The files that are embedded into the program. embed.cmake generates the
// definition.
#ifndef EXPORTER_WEB_EMBEDDED_H_
#define EXPORTER_WEB_EMBEDDED_H_

#include <span>
#include <string_view>

namespace pfe {

struct EmbeddedFile {
  std::string_view name;
  std::string_view content;
};

std::span<const EmbeddedFile> EmbeddedFiles();

}  // namespace pfe

#endif  // EXPORTER_WEB_EMBEDDED_H_
