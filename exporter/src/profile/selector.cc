// SPDX-License-Identifier: Apache-2.0
#include "profile/selector.h"

#include <sys/stat.h>

#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace pfe {
namespace {

namespace fs = std::filesystem;

// Appends the directories in one, without links, until there are `most`.
void AppendDirectories(const fs::path& in, size_t most,
                       std::vector<fs::path>* paths) {
  std::error_code error, ignored;
  for (fs::directory_iterator at(in, error), end;
       !error && at != end && paths->size() < most; at.increment(error))
    if (at->is_directory(ignored) && !at->is_symlink(ignored))
      paths->push_back(at->path());
}

}  // namespace

Selector Selector::OfPid(uint32_t pid) {
  Selector selector;
  selector.text_ = std::to_string(pid);
  selector.pid_ = pid;
  return selector;
}

Selector Selector::OfComm(std::string comm) {
  Selector selector;
  selector.text_ = std::move(comm);
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

// The id of a group is the inode number of its directory. The group itself is
// the first one that is found.
bool Selector::FindCgroups(const std::string& mount,
                           const std::function<bool()>& is_ended) {
  if ((text_ + "/").find("/../") != std::string::npos) return false;
  std::vector<fs::path> paths = {mount + text_};
  for (size_t i = 0; i < paths.size() && !is_ended(); ++i) {
    const fs::path path = std::move(paths[i]);
    struct stat status {};
    if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) continue;
    cgroups_.insert(status.st_ino);
    AppendDirectories(path, kMostCgroups + 1, &paths);
    if (paths.size() > kMostCgroups) {
      has_left_out_ = true;
      paths.resize(kMostCgroups);
    }
  }
  return !cgroups_.empty();
}

bool Selector::Matches(uint32_t pid, std::string_view comm,
                       uint64_t cgroup) const {
  if (by_cgroup_) return cgroups_.contains(cgroup);
  return pid_ ? pid == *pid_ : comm == text_;
}

}  // namespace pfe
