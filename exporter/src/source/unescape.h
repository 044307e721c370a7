// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_SOURCE_UNESCAPE_H_
#define EXPORTER_SOURCE_UNESCAPE_H_

#include <optional>
#include <string>
#include <string_view>

namespace pfe {

// Undoes the escapes that the module writes into a comm
// (kernel/include/page_faults.h): \\, \n, \t and \ooo. Returns nothing for
// any other escape and for one that is cut short.
std::optional<std::string> Unescape(std::string_view escaped);

}  // namespace pfe

#endif  // EXPORTER_SOURCE_UNESCAPE_H_
