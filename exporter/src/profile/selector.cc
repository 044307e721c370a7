// SPDX-License-Identifier: Apache-2.0
#include "profile/selector.h"

#include <sys/stat.h>

#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

namespace pfe {
namespace {

namespace fs = std::filesystem;

}  // namespace

Selector::Selector(std::string text)
    : text_(std::move(text)), by_cgroup_(text_.starts_with('/')) {
  uint32_t pid = 0;
  const char* const end = text_.data() + text_.size();
  const auto [parsed, error] = std::from_chars(text_.data(), end, pid);
  if (error == std::errc() && parsed == end) pid_ = pid;
}

// The id of a group is the inode number of its directory.
bool Selector::FindCgroups(const std::string& mount) {
  const auto note = [this](const fs::path& path) {
    struct stat status {};
    const bool there =
        stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    if (there) cgroups_.insert(status.st_ino);
    return there;
  };
  const std::string top = mount + text_;
  if (!note(top)) return !cgroups_.empty();
  std::error_code error;
  for (fs::recursive_directory_iterator at(top, error), end;
       !error && at != end; at.increment(error))
    if (at->is_directory(error) && !at->is_symlink(error)) note(at->path());
  return true;
}

bool Selector::Matches(uint32_t pid, std::string_view comm,
                       uint64_t cgroup) const {
  if (by_cgroup_) return cgroups_.contains(cgroup);
  return pid_ ? pid == *pid_ : comm == text_;
}

}  // namespace pfe
