// SPDX-License-Identifier: Apache-2.0
#include "render/sample_writer.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace pfe {

std::string FormatDouble(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  char text[32];
  char* const end = text + sizeof(text);
  // The scientific form comes first, because its exponent decides on the form.
  auto result = std::to_chars(text, end, number, std::chars_format::scientific);
  std::string scientific(text, result.ptr);
  const int exponent = std::stoi(scientific.substr(scientific.find('e') + 1));
  if (exponent < -4 || exponent >= 6) return scientific;
  result = std::to_chars(text, end, number, std::chars_format::fixed);
  return std::string(text, result.ptr);
}

std::string FormatBound(double bound, bool openmetrics) {
  std::string text = FormatDouble(bound);
  const bool is_float = text.find_first_of(".eIN") != std::string::npos;
  if (openmetrics && !is_float) text += ".0";
  return text;
}

void SampleWriter::Grow(size_t bytes) {
  const size_t room = std::max(size_ + bytes, 2 * room_);
  auto larger = std::make_unique_for_overwrite<char[]>(room);
  if (size_) memcpy(larger.get(), bytes_.get(), size_);
  bytes_ = std::move(larger);
  room_ = room;
}

char* SampleWriter::PrintValue(double number, char* at) {
  constexpr double kExact = 9007199254740992;  // 2^53
  if (std::abs(number) <= kExact && number == std::trunc(number)) {
    if (number < 0) *at++ = '-';
    return PrintValue(static_cast<uint64_t>(std::abs(number)), at);
  }
  return Print(FormatDouble(number), at);
}

}  // namespace pfe
