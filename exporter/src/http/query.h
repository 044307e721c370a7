// SPDX-License-Identifier: Apache-2.0
// Parses the parts of a URL.
#ifndef EXPORTER_HTTP_QUERY_H_
#define EXPORTER_HTTP_QUERY_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pfe {

// Replaces each % and two hex digits by their byte, which may be any. Returns
// nothing if an escape is malformed.
std::optional<std::string> DecodePercent(std::string_view text);

// Parses "a=1&b=x%20y" (WHATWG URL, application/x-www-form-urlencoded). Returns
// nothing, and says why in `error`, if an escape is malformed, a name comes
// twice, or the text is longer than 4096 bytes.
std::optional<std::map<std::string, std::string>> ParseQuery(
    std::string_view query, std::string* error);

}  // namespace pfe

#endif  // EXPORTER_HTTP_QUERY_H_
