// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_BASE_HEXADECIMAL_H_
#define EXPORTER_BASE_HEXADECIMAL_H_

#include <string>
#include <string_view>

namespace pfe {

// Two digits for each byte, as build ids are written.
inline std::string Hexadecimal(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace pfe

#endif  // EXPORTER_BASE_HEXADECIMAL_H_
