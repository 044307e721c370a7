// SPDX-License-Identifier: Apache-2.0
#include "source/unescape.h"

#include <algorithm>

namespace pfe {
namespace {

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// Decodes the escape at the front of `rest`, after its backslash, and removes
// it.
std::optional<char> TakeEscape(std::string_view* rest) {
  if (rest->empty()) return std::nullopt;
  const char c = rest->front();
  if (c == '\\' || c == 'n' || c == 't') {
    rest->remove_prefix(1);
    return c == 'n' ? '\n' : c == 't' ? '\t' : '\\';
  }
  if (rest->size() < 3 || c > '3' ||
      !std::all_of(rest->begin(), rest->begin() + 3, IsOctal))
    return std::nullopt;
  const int byte = (c - '0') * 64 + ((*rest)[1] - '0') * 8 + (*rest)[2] - '0';
  rest->remove_prefix(3);
  return static_cast<char>(byte);
}

}  // namespace

std::optional<std::string> Unescape(std::string_view escaped) {
  std::string bytes;
  while (!escaped.empty()) {
    const char c = escaped.front();
    escaped.remove_prefix(1);
    if (c != '\\') {
      bytes += c;
      continue;
    }
    const std::optional<char> byte = TakeEscape(&escaped);
    if (!byte) return std::nullopt;
    bytes += *byte;
  }
  return bytes;
}

}  // namespace pfe
