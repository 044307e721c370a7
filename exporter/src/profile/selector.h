// SPDX-License-Identifier: Apache-2.0
// Which processes a profile is of.
#ifndef EXPORTER_PROFILE_SELECTOR_H_
#define EXPORTER_PROFILE_SELECTOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace pfe {

// A number is a pid. What begins with a slash is the path of a control group,
// which includes the groups below it. Anything else is a comm.
class Selector {
 public:
  explicit Selector(std::string text);

  bool by_cgroup() const { return by_cgroup_; }
  // Looks the ids of the control groups up, below where cgroup2 is mounted.
  // Those found before stay. Returns whether there is such a group.
  bool FindCgroups(const std::string& mount);
  bool Matches(uint32_t pid, std::string_view comm, uint64_t cgroup) const;

 private:
  const std::string text_;
  std::optional<uint32_t> pid_;
  bool by_cgroup_ = false;
  std::unordered_set<uint64_t> cgroups_;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_SELECTOR_H_
