// SPDX-License-Identifier: Apache-2.0
// A control group, and what its path names.
#ifndef EXPORTER_SOURCE_CGROUP_H_
#define EXPORTER_SOURCE_CGROUP_H_

#include <memory>
#include <string>

#include "source/cgroup_path.h"
#include "source/pod_names.h"

namespace pfe {

// What processes of one control group share. Views hold it, so it does not
// change.
struct Cgroup {
  std::string path;
  CgroupInfo info;
  PodName name;
};

// The name of rows whose group is not known: the table has no id for it, or the
// process has exited or is not read yet.
inline constexpr const char* kUnknownCgroup = "unknown";

// What people call it: its namespace, pod and container with slashes between
// them, as far as these are known; else its unit; else its path.
std::string ShownName(const Cgroup& cgroup);

std::shared_ptr<const Cgroup> MakeCgroup(std::string path, PodNames* names);

// Asks again for names that were not known, such as those of a container that
// has just started. Returns the group with its new names; null if there are
// none.
std::shared_ptr<const Cgroup> NamedAnew(const Cgroup& cgroup, PodNames* names);

}  // namespace pfe

#endif  // EXPORTER_SOURCE_CGROUP_H_
