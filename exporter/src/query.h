// SPDX-License-Identifier: Apache-2.0
// The query part of a URL.
#ifndef EXPORTER_QUERY_H_
#define EXPORTER_QUERY_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pfe {

// Splits "a=1&b=x%20y" into names and values (WHATWG URL,
// application/x-www-form-urlencoded). Returns nothing, and says why in `error`,
// if an escape is malformed, a name comes twice or the text is longer than 4096
// bytes.
std::optional<std::map<std::string, std::string>> ParseQuery(
    std::string_view query, std::string* error);

}  // namespace pfe

#endif  // EXPORTER_QUERY_H_
