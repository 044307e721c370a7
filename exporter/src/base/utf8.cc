// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <algorithm>

namespace pfe {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// How many bytes follow a lead byte, and the bounds of the first of them
// (Unicode Standard, table 3-7). A byte with count 0 is not a lead byte.
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

// The length of the well-formed part of the sequence at `at`. Sets `*whole` if
// the sequence is complete.
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

std::string WithoutControls(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
      '?');
  // Some terminals take U+0080 to U+009F for control characters too.
  for (size_t at = 0; (at = text.find('\xc2', at)) != std::string::npos; ++at)
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0)
      text.replace(at, 2, "?");
  return text;
}

std::string_view WithoutCutEnd(std::string_view bytes) {
  constexpr size_t kLongest = 3;  // of a start
  for (size_t n = 1; n <= std::min(kLongest, bytes.size()); ++n) {
    const size_t at = bytes.size() - n;
    if (SequenceOf(static_cast<unsigned char>(bytes[at])).count == 0) continue;
    bool whole;
    const bool to_the_end = MatchSequence(bytes, at, &whole) == n;
    return bytes.substr(0, to_the_end && !whole ? at : bytes.size());
  }
  return bytes;
}

}  // namespace pfe
