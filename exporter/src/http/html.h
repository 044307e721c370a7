// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_HTTP_HTML_H_
#define EXPORTER_HTTP_HTML_H_

#include <string>
#include <string_view>

namespace pfe {

// Escapes a text for HTML: for content and for quoted attributes.
std::string EscapeHtml(std::string_view text);

}  // namespace pfe

#endif  // EXPORTER_HTTP_HTML_H_
