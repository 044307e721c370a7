// SPDX-License-Identifier: Apache-2.0
#include "text.h"

#include <algorithm>

namespace pfe {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// Decodes the escape at the front of `rest`, behind its backslash; removes it.
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

// The bounds of the byte that follows a lead byte, and how many follow in all
// (Unicode Standard, table 3-7). Count 0 is no lead byte.
struct Sequence {
  int count;
  unsigned char low;
  unsigned char high;
};

Sequence SequenceOf(unsigned char lead) {
  if (lead >= 0xc2 && lead <= 0xdf) return {1, 0x80, 0xbf};
  if (lead == 0xe0) return {2, 0xa0, 0xbf};
  if (lead == 0xed) return {2, 0x80, 0x9f};
  if (lead >= 0xe1 && lead <= 0xef) return {2, 0x80, 0xbf};
  if (lead == 0xf0) return {3, 0x90, 0xbf};
  if (lead >= 0xf1 && lead <= 0xf3) return {3, 0x80, 0xbf};
  if (lead == 0xf4) return {3, 0x80, 0x8f};
  return {0, 0, 0};
}

// Length of the sequence at `at`: as far as it is well-formed. `*whole` tells
// whether that is all of it.
size_t MatchSequence(std::string_view bytes, size_t at, bool* whole) {
  const auto lead = static_cast<unsigned char>(bytes[at]);
  *whole = lead < 0x80;
  if (*whole) return 1;
  Sequence sequence = SequenceOf(lead);
  size_t length = 1;
  for (int i = 0; i < sequence.count; ++i, ++length) {
    if (at + length >= bytes.size()) return length;
    const auto next = static_cast<unsigned char>(bytes[at + length]);
    if (next < sequence.low || next > sequence.high) return length;
    sequence.low = 0x80;
    sequence.high = 0xbf;
  }
  *whole = sequence.count > 0;
  return length;
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

std::string ToValidUtf8(std::string_view bytes) {
  const auto ascii = [](char c) {
    return static_cast<unsigned char>(c) < 0x80;
  };
  if (std::all_of(bytes.begin(), bytes.end(), ascii)) return std::string(bytes);
  std::string valid;
  for (size_t at = 0; at < bytes.size();) {
    bool whole;
    const size_t length = MatchSequence(bytes, at, &whole);
    valid += whole ? bytes.substr(at, length) : kReplacement;
    at += length;
  }
  return valid;
}

void AppendLabelValue(std::string_view value, std::string* out) {
  EscapeLabelValue(value, [out](char c) { *out += c; });
}

std::string EscapeHtml(std::string_view text) {
  std::string html;
  for (char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

}  // namespace pfe
