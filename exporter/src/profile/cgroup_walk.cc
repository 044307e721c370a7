// SPDX-License-Identifier: Apache-2.0
#include "profile/cgroup_walk.h"

#include <sys/stat.h>

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

// The id of a group is the inode number of its directory.
bool WalkCgroups(const std::string& mount, const std::string& path,
                 const std::function<bool()>& is_ended,
                 const std::function<void(uint64_t, const std::string&)>& use) {
  std::vector<fs::path> paths = {mount + path};
  for (size_t i = 0; i < paths.size() && !is_ended(); ++i) {
    if (i == kMostCgroups) return false;
    const fs::path directory = std::move(paths[i]);
    struct stat status {};
    if (stat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
      continue;
    use(status.st_ino, directory.native().substr(mount.size()));
    AppendDirectories(directory, kMostCgroups + 1, &paths);
  }
  return true;
}

}  // namespace pfe
