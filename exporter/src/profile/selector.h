// SPDX-License-Identifier: Apache-2.0
// Which processes a profile is of.
#ifndef EXPORTER_PROFILE_SELECTOR_H_
#define EXPORTER_PROFILE_SELECTOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace pfe {

class Selector {
 public:
  static Selector OfAll() { return Selector(); }
  static Selector OfPid(uint32_t pid);
  static Selector OfComm(std::string comm);
  // By the path of a control group, which includes the groups below it.
  static Selector OfCgroup(std::string path);
  // A number is a pid. What begins with a slash is the path of a control group.
  // Anything else is a comm.
  static Selector Parse(const std::string& text);

  // The pid, the comm or the path; empty for all.
  const std::string& text() const { return text_; }
  bool by_cgroup() const { return by_cgroup_; }
  bool by_pid() const { return pid_.has_value(); }
  bool by_comm() const { return by_comm_; }
  // Looks the ids of the control groups up, below where cgroup2 is mounted: of
  // at most kMostCgroups, and until `is_ended` returns true. Those found before
  // stay, and what cannot be read or vanishes meanwhile is left out. Returns
  // whether there is, or was, the group itself.
  bool FindCgroups(const std::string& mount,
                   const std::function<bool()>& is_ended);
  // Whether there were more than kMostCgroups.
  bool has_left_out() const { return has_left_out_; }
  bool Matches(uint32_t pid, std::string_view comm, uint64_t cgroup) const;

 private:
  Selector() = default;

  std::string text_;
  std::optional<uint32_t> pid_;
  bool by_comm_ = false;
  bool by_cgroup_ = false;
  bool has_left_out_ = false;
  std::unordered_set<uint64_t> cgroups_;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_SELECTOR_H_
