// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_BASE_UTF8_H_
#define EXPORTER_BASE_UTF8_H_

#include <string>
#include <string_view>

namespace pfe {

// Keeps valid UTF-8 and replaces each maximal ill-formed part by U+FFFD, as
// the Unicode Standard recommends (chapter 3, "U+FFFD Substitution of Maximal
// Subparts"). Prometheus drops a whole scrape for one bad byte in a label.
std::string ToValidUtf8(std::string_view bytes);

// Replaces control characters by `?`, so that a name that a process chose
// cannot move a terminal's cursor. `text` is valid UTF-8.
std::string WithoutControls(std::string text);

// Without the start of a character at the end of bytes that were cut.
std::string_view WithoutCutEnd(std::string_view bytes);

}  // namespace pfe

#endif  // EXPORTER_BASE_UTF8_H_
