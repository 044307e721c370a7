// SPDX-License-Identifier: Apache-2.0
// Bytes that any user may have written, made fit for readers: the table's
// escapes, UTF-8, and the escapes of labels and HTML.
#ifndef EXPORTER_TEXT_H_
#define EXPORTER_TEXT_H_

#include <optional>
#include <string>
#include <string_view>

namespace pfe {

// Undoes the escapes of the contract (kernel/include/page_faults.h): \\, \n, \t
// and \ooo. Nothing if an escape is none of these or is cut short.
std::optional<std::string> Unescape(std::string_view escaped);

// Keeps valid UTF-8 and replaces each maximal ill-formed part by U+FFFD, as
// the Unicode Standard recommends (chapter 3, "U+FFFD Substitution of Maximal
// Subparts"). One bad byte in a label makes Prometheus drop a whole scrape.
std::string ToValidUtf8(std::string_view bytes);

// Puts, byte by byte, a label's value escaped as Prometheus's text format has
// it: backslash, double quote and newline.
template <typename Put>
void EscapeLabelValue(std::string_view value, Put put) {
  for (char c : value) {
    if (c == '\\' || c == '"' || c == '\n') put('\\');
    put(c == '\n' ? 'n' : c);
  }
}
void AppendLabelValue(std::string_view value, std::string* out);

// Escapes a text for HTML, in content and in quoted attributes.
std::string EscapeHtml(std::string_view text);

}  // namespace pfe

#endif  // EXPORTER_TEXT_H_
