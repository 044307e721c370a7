// SPDX-License-Identifier: Apache-2.0
// Reads the control group of a process.
#ifndef EXPORTER_SOURCE_CGROUP_READER_H_
#define EXPORTER_SOURCE_CGROUP_READER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pfe {

// More than the file /proc/PID/cgroup has.
inline constexpr size_t kMostCgroupBytes = 65536;

// How control groups are laid out on a host.
struct CgroupLayout {
  // systemd uses the named hierarchy (name=systemd): the layout is the hybrid
  // one or that of version 1. Container runtimes put containers into this
  // hierarchy; in the unified one these may stay in the group of the runtime.
  bool by_systemd = false;
  // The kernel shows all paths from another root than the host's: the host's
  // first process is outside of the exporter's cgroup namespace. Then no path
  // is the host's, also one without /...
  bool other_root = false;
};

// Reads the layout of a host, which its first process shows. For one thread.
class LayoutReader {
 public:
  // Reads that of the host whose PROCFS this is. While it cannot be read, what
  // was read before holds. Where it never can, it is that of the unified
  // hierarchy: there are no control groups, or process 1 is hidden.
  void Update(const std::string& procfs);

  // Nothing before it is known.
  const std::optional<CgroupLayout>& layout() const { return layout_; }
  // A sentence that says why the last Update() could not read it.
  const std::string& error() const { return error_; }

 private:
  std::optional<CgroupLayout> layout_;
  std::string error_;
};

// The path in the text of /proc/PID/cgroup (cgroups(7)), valid UTF-8: that of
// the first of these hierarchies in which the process is not in the root group,
//   systemd's named one if `by_systemd`, the unified one, the named one,
// else "/". Without any of them it is the path of the first line.
//
// The kernel shows a path from the root of the reader's cgroup namespace. The
// path of a group outside of it begins with /.. and depends on where the
// exporter runs: it is empty.
//
// The kernel marks a removed group by " (deleted)" behind its name. A live
// group whose name ends so is taken for the one without. Only a path of /proc
// has this mark: by its id a group is found under the name that it has.
std::string CgroupPathOf(std::string_view text, bool by_systemd);

}  // namespace pfe

#endif  // EXPORTER_SOURCE_CGROUP_READER_H_
