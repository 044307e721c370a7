// SPDX-License-Identifier: Apache-2.0
// Takes fields and numbers from the texts of the module.
#ifndef EXPORTER_SOURCE_FIELDS_H_
#define EXPORTER_SOURCE_FIELDS_H_

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace pfe {

// Removes the front of `rest` up to and including `end`, and returns it without
// `end`. Returns nothing if there is no `end`.
inline std::optional<std::string_view> TakeUntil(std::string_view* rest,
                                                 char end) {
  const size_t at = rest->find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view taken = rest->substr(0, at);
  rest->remove_prefix(at + 1);
  return taken;
}

// Parses a text that must be a decimal number as a whole.
template <typename Number>
bool ParseNumber(std::string_view text, Number* number) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && at == end;
}

// The number in a text of decimal digits, the largest one if it overflows;
// nothing if the text has anything else.
inline std::optional<uint64_t> NumberOrLargest(std::string_view text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (at != end || error == std::errc::invalid_argument) return std::nullopt;
  return error == std::errc() ? number : std::numeric_limits<uint64_t>::max();
}

// Removes the digits at *at and parses them. Returns false if there is none, or
// if the number overflows. Takes half the time of std::from_chars().
inline bool TakeNumber(const char** at, const char* end, uint64_t* number) {
  constexpr ptrdiff_t kSafe = 19;  // this many digits never overflow
  const char* const start = *at;
  const char* const safe = end - start > kSafe ? start + kSafe : end;
  const char* next = start;
  uint64_t value = 0;
  for (; next != safe; ++next) {
    const auto digit = static_cast<unsigned char>(*next - '0');
    if (digit > 9) break;
    value = value * 10 + digit;
  }
  if (next == safe && next != end) {
    const auto [last, error] = std::from_chars(start, end, value);
    if (error != std::errc()) return false;
    next = last;
  }
  *at = next;
  *number = value;
  return next != start;
}

}  // namespace pfe

#endif  // EXPORTER_SOURCE_FIELDS_H_
