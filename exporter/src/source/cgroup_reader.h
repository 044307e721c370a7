// SPDX-License-Identifier: Apache-2.0
// Reads the control group of a process.
#ifndef EXPORTER_SOURCE_CGROUP_READER_H_
#define EXPORTER_SOURCE_CGROUP_READER_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace pfe {

// The path in the text of /proc/PID/cgroup (cgroups(7)): that of the unified
// hierarchy if there is one, else that of systemd's named hierarchy, else that
// of the first line. Valid UTF-8.
//
// The kernel shows a path from the root of the reader's cgroup namespace. The
// path of a group outside of it begins with /.. and depends on where the
// exporter runs: it is empty.
std::string CgroupPathOf(std::string_view text);

// Whether the kernel shows all paths from another root than that of the host
// whose PROCFS this is: its first process is outside of the exporter's cgroup
// namespace. Then no path is the host's, also one without /...
bool HasOtherRoot(const std::string& procfs);

}  // namespace pfe

#endif  // EXPORTER_SOURCE_CGROUP_READER_H_
