// SPDX-License-Identifier: Apache-2.0
#include "profile/event_format.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

namespace pfe {
namespace {

constexpr std::array<const char*, static_cast<size_t>(FaultField::kCount)>
    kNames = {"address",  "ip",     "ns",   "cgroup",
              "severity", "access", "kind", "origin"};

// The number behind a key such as "offset:" in a line.
std::optional<size_t> NumberBehind(std::string_view line,
                                   std::string_view key) {
  const size_t at = line.find(key);
  if (at == line.npos) return std::nullopt;
  const char* const begin = line.data() + at + key.size();
  size_t number = 0;
  if (std::from_chars(begin, line.data() + line.size(), number).ec !=
      std::errc())
    return std::nullopt;
  return number;
}

// The name in "field:u64 address;".
std::string_view NameIn(std::string_view line) {
  const std::string_view declaration = line.substr(0, line.find(';'));
  return declaration.substr(declaration.rfind(' ') + 1);
}

}  // namespace

std::optional<FaultFormat> FaultFormat::Parse(std::string_view text) {
  FaultFormat format;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto name = std::find(kNames.begin(), kNames.end(), NameIn(line));
    if (name == kNames.end()) continue;
    const auto offset = NumberBehind(line, "offset:");
    const auto size = NumberBehind(line, "size:");
    if (!offset || !size) return std::nullopt;
    format.places_[static_cast<size_t>(name - kNames.begin())] = {*offset,
                                                                  *size};
  }
  for (const Place& place : format.places_)
    if (place.size != 1 && place.size != 2 && place.size != 4 &&
        place.size != 8)
      return std::nullopt;
  return format;
}

std::optional<uint64_t> FaultFormat::Read(FaultField field,
                                          std::string_view bytes) const {
  const Place& place = places_[static_cast<size_t>(field)];
  if (place.offset > bytes.size() || place.size > bytes.size() - place.offset)
    return std::nullopt;
  // The event has the byte order of this machine; the module is for x86-64 and
  // other little-endian machines.
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + place.offset, place.size);
  return value;
}

}  // namespace pfe
