// SPDX-License-Identifier: Apache-2.0
// What a rule can ask of a process.
#ifndef EXPORTER_GROUP_FIELDS_H_
#define EXPORTER_GROUP_FIELDS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pfe {

enum class Field { kComm, kExe, kCmdline, kUnit, kUser, kCgroup };
inline constexpr std::array<const char*, 6> kFieldNames = {
    "comm", "exe", "cmdline", "unit", "user", "cgroup"};
inline constexpr size_t kFields = kFieldNames.size();

// A set of fields has a bit for each.
using Fields = uint32_t;
constexpr Fields Bit(Field field) { return 1u << static_cast<unsigned>(field); }

inline std::optional<Field> FieldOf(std::string_view name) {
  for (size_t i = 0; i < kFields; ++i)
    if (name == kFieldNames[i]) return static_cast<Field>(i);
  return std::nullopt;
}

// Texts by Field, in valid UTF-8. An empty one is not known, or the process has
// none: a kernel thread has no exe.
template <typename Text>
struct ByField : std::array<Text, kFields> {
  using std::array<Text, kFields>::operator[];
  Text& operator[](Field field) { return (*this)[static_cast<size_t>(field)]; }
  const Text& operator[](Field field) const {
    return (*this)[static_cast<size_t>(field)];
  }
};

}  // namespace pfe

#endif  // EXPORTER_GROUP_FIELDS_H_
