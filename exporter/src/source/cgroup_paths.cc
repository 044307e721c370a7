// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_paths.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "source/file.h"

namespace pfe {
namespace {

// No real host has this many groups, or paths of this size. A walk ignores the
// groups beyond.
constexpr size_t kMostGroups = 100000;
constexpr size_t kMostPathBytes = 64 << 20;

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// The next entry. If there is none, errno is 0 at the end of the directory.
const dirent* Next(DIR* directory) {
  errno = 0;
  return readdir(directory);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

}  // namespace

// The directory of the root group, or empty with an error(). Only groups of
// version 2 have cgroup.controllers, and all of them but the root have
// cgroup.events. In a hybrid layout the unified hierarchy is in a directory
// beside the others.
std::string CgroupPaths::FindRoot() {
  std::string cause = "no unified hierarchy (cgroup2) is mounted at " + mount_;
  for (const std::string& root : {mount_, mount_ + "/unified"}) {
    if (Exists(root + "/cgroup.controllers")) {
      if (!Exists(root + "/cgroup.events")) return root;
      break;
    }
    if (!IsAbsence(errno)) cause = root + ": " + strerror(errno);
  }
  error_ =
      "the ids of control groups cannot be looked up, so /proc is read "
      "instead: " +
      cause + "; see --path.cgroup";
  return "";
}

// Notes the groups of all rows. Returns whether one of them is new.
bool CgroupPaths::Note(const ProcessTable& processes, PodNames* names) {
  ++turn_;
  names_.names.clear();
  names_.of_row.resize(processes.size());
  bool any_new = false;
  // Processes of one group often follow each other.
  const Group* last = nullptr;
  uint64_t last_id = 0;
  for (size_t row = 0; row < processes.size(); ++row) {
    const uint64_t id = processes[row].cgroup;
    if (!last || id != last_id) {
      const auto [at, is_new] = known_.try_emplace(id);
      Group& group = at->second;
      if (is_new && id == kRoot) group.cgroup = MakeCgroup("/", names);
      if (is_new)
        group.id_name = id ? "id:" + std::to_string(id) : kUnknownCgroup;
      if (group.turn != turn_) {
        group.turn = turn_;
        group.index = static_cast<uint32_t>(names_.names.size());
        names_.names.emplace_back();
      }
      any_new |= is_new;
      last = &group;
      last_id = id;
    }
    names_.of_row[row] = last->index;
  }
  changed_ = any_new;
  return any_new;
}

// Forgets the groups that have no row any more.
void CgroupPaths::Forget() {
  changed_ |= std::erase_if(known_, [this](const auto& item) {
                return item.second.turn != turn_;
              }) > 0;
}

// Names the groups that have no name yet. Ends when all have one. A directory
// that is removed meanwhile is left out.
void CgroupPaths::Walk(const std::string& root, PodNames* names) {
  error_.clear();
  std::vector<std::string> todo = {""};
  size_t path_bytes = 0;
  for (walked_ = 0; walked_ < todo.size() && missing_ > 0; ++walked_) {
    const std::string path = todo[walked_];
    const std::unique_ptr<DIR, CloseDirectory> directory(
        opendir((root + path).c_str()));
    while (const dirent* entry = directory ? Next(directory.get()) : nullptr) {
      const std::string_view name = entry->d_name;
      if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
      std::string child = path + "/";
      child += name;
      const auto found = known_.find(entry->d_ino);
      if (found != known_.end() && !found->second.cgroup) {
        found->second.cgroup = MakeCgroup(ToValidUtf8(child), names);
        changed_ = true;
        --missing_;
      }
      path_bytes += child.size();
      if (todo.size() < kMostGroups && path_bytes < kMostPathBytes)
        todo.push_back(std::move(child));
    }
    if (errno != 0 && !IsAbsence(errno))
      error_.assign("control groups cannot be named: ")
          .append(root)
          .append(path)
          .append(": ")
          .append(strerror(errno));
  }
  if (missing_ == 0) error_.clear();
}

// Names the control groups whose names were not known.
void CgroupPaths::AddNames(PodNames* names) {
  for (auto& [id, group] : known_) {
    if (!group.cgroup) continue;
    if (auto named = NamedAnew(*group.cgroup, names)) {
      group.cgroup = std::move(named);
      changed_ = true;
    }
  }
}

void CgroupPaths::Publish() {
  for (const auto& [id, group] : known_)
    names_.names[group.index] =
        group.cgroup ? std::string_view(group.cgroup->path) : group.id_name;
  if (!changed_) return;
  auto groups = std::make_shared<CgroupTable::ById>();
  groups->reserve(known_.size());
  for (const auto& [id, group] : known_)
    if (group.cgroup) groups->emplace(id, group.cgroup);
  groups_ = std::move(groups);
}

bool CgroupPaths::Update(const ProcessTable& processes, uint64_t now_ns,
                         PodNames* names) {
  // Where systemd manages another hierarchy, all processes are in this root.
  if (std::none_of(processes.begin(), processes.end(),
                   [](const Process& row) { return row.cgroup > kRoot; })) {
    error_.clear();
    return false;
  }
  const std::string root = FindRoot();
  if (root.empty()) {
    next_look_ns_ = 0;
    return false;
  }
  const bool any_new = Note(processes, names);
  Forget();
  AddNames(names);
  missing_ = static_cast<size_t>(std::count_if(
      known_.begin(), known_.end(),
      [](const auto& item) { return item.first && !item.second.cgroup; }));
  const bool at_once = any_new && walked_ < kManyGroups;
  if (missing_ > 0 && (at_once || now_ns >= next_look_ns_)) {
    Walk(root, names);
    const bool soon = !error_.empty() && walked_ < kManyGroups;
    next_look_ns_ = soon ? 0 : now_ns + kAgainNs;
  } else if (missing_ == 0) {
    error_.clear();
  }
  Publish();
  return true;
}

}  // namespace pfe
