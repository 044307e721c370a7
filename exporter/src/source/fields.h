// SPDX-License-Identifier: Apache-2.0
// Fields and numbers of the module's texts.
#ifndef EXPORTER_SOURCE_FIELDS_H_
#define EXPORTER_SOURCE_FIELDS_H_

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace pfe {

// Takes the front of `rest` up to `end` away, with `end`. Nothing if there is
// no `end`.
inline std::optional<std::string_view> TakeUntil(std::string_view* rest,
                                                 char end) {
  const size_t at = rest->find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view taken = rest->substr(0, at);
  rest->remove_prefix(at + 1);
  return taken;
}

// The whole text as a decimal number.
template <typename Number>
bool ParseNumber(std::string_view text, Number* number) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && at == end;
}

// Takes the digits at *at away; false if there are none, or too many. As
// std::from_chars() does, in half its time.
inline bool TakeNumber(const char** at, const char* end, uint64_t* number) {
  constexpr ptrdiff_t kSafe = 19;  // digits that never overflow
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
