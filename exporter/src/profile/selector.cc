// SPDX-License-Identifier: Apache-2.0
#include "profile/selector.h"

#include <charconv>
#include <system_error>
#include <utility>

#include "profile/cgroup_walk.h"

namespace pfe {
Selector Selector::OfPid(uint32_t pid) {
  Selector selector;
  selector.text_ = std::to_string(pid);
  selector.pid_ = pid;
  return selector;
}

Selector Selector::OfComm(std::string comm) {
  Selector selector;
  selector.text_ = std::move(comm);
  selector.by_comm_ = true;
  return selector;
}

Selector Selector::OfCgroup(std::string path) {
  Selector selector;
  selector.text_ = std::move(path);
  selector.by_cgroup_ = true;
  return selector;
}

Selector Selector::Parse(const std::string& text) {
  if (text.starts_with('/')) return OfCgroup(text);
  uint32_t pid = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, pid);
  return error == std::errc() && parsed == end ? OfPid(pid) : OfComm(text);
}

bool Selector::FindCgroups(const std::string& mount,
                           const std::function<bool()>& is_ended) {
  if ((text_ + "/").find("/../") != std::string::npos) return false;
  has_left_out_ |= !WalkCgroups(
      mount, text_, is_ended,
      [this](uint64_t id, const std::string&) { cgroups_.insert(id); });
  return !cgroups_.empty();
}

bool Selector::Matches(uint32_t pid, std::string_view comm,
                       uint64_t cgroup) const {
  if (by_cgroup_) return cgroups_.contains(cgroup);
  if (by_comm_) return comm == text_;
  return !pid_ || pid == *pid_;
}

}  // namespace pfe
