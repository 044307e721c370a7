// SPDX-License-Identifier: Apache-2.0
// Finds the paths of control groups by their ids.
//
// The id of a group is the inode number of its directory in the unified
// hierarchy (cgroup2). So the directories are walked, and readdir(3) says both
// the number and the name. This does not depend on the cgroup namespace of the
// exporter, as /proc/PID/cgroup does, and also names the groups of processes
// that have exited.
#ifndef EXPORTER_SOURCE_CGROUP_PATHS_H_
#define EXPORTER_SOURCE_CGROUP_PATHS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/process_table.h"
#include "base/row_names.h"
#include "source/cgroup_cache.h"

namespace pfe {

// For one thread.
class CgroupPaths {
 public:
  // A group that was not found is searched again after this time. It was
  // probably removed, so there is no hurry. A new id starts a search at once,
  // and so does an error of the last one.
  static constexpr uint64_t kAgainNs = 10'000'000'000;
  // After a walk over this many groups both wait for kAgainNs too.
  // Otherwise a user who creates groups could force a full walk in every tick.
  static constexpr size_t kManyGroups = 10000;
  static constexpr uint64_t kRoot = 1;  // the root's id

  // `mount` is where cgroups are mounted, usually /sys/fs/cgroup.
  explicit CgroupPaths(std::string mount) : mount_(std::move(mount)) {}

  // Finds the groups of all rows; `now_ns` is the boot time. The hierarchy is
  // walked at most once, and only if an id is new, or if one was not found and
  // the last walk is kAgainNs ago. Returns false if the rows do not tell groups
  // apart, or no whole unified hierarchy is mounted: then the rest has no
  // meaning, except for error().
  bool Update(const ProcessTable& processes, uint64_t now_ns, PodNames* names);

  // Of the last Update(). A group that was not found is not in groups(); its
  // name is its id, such as "id:4711", or kUnknownCgroup without one. The names
  // live until the next Update().
  const std::shared_ptr<const CgroupTable::ById>& groups() const {
    return groups_;
  }
  const RowNames& names() const { return names_; }
  // A sentence that says why groups that have ids have no names; empty if all
  // is well.
  const std::string& error() const { return error_; }
  // Whether groups() differs from what it was before the last Update().
  bool changed() const { return changed_; }

 private:
  struct Group {
    std::shared_ptr<const Cgroup> cgroup;  // null if it was not found
    std::string id_name;
    uint32_t index = 0;  // of its name
    uint64_t turn = 0;   // the last Update() that had a row of it
  };

  std::string FindRoot();
  bool Note(const ProcessTable& processes, PodNames* names);
  void Forget();
  void Walk(const std::string& root, PodNames* names);
  void AddNames(PodNames* names);
  void Publish();

  const std::string mount_;
  std::unordered_map<uint64_t, Group> known_;
  std::shared_ptr<const CgroupTable::ById> groups_ =
      std::make_shared<const CgroupTable::ById>();
  RowNames names_;
  size_t walked_ = 0;   // groups that the last walk listed
  size_t missing_ = 0;  // groups that were not found; 0 is no group's id
  uint64_t turn_ = 0;
  uint64_t next_look_ns_ = 0;
  std::string error_;
  bool changed_ = false;
};

}  // namespace pfe

#endif  // EXPORTER_SOURCE_CGROUP_PATHS_H_
