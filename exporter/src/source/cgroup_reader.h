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
// of the first line.
std::string CgroupPathOf(std::string_view text);

// Reads PROCFS/PID/cgroup. Returns valid UTF-8, empty if the file cannot be
// read.
std::string ReadCgroup(const std::string& procfs, uint64_t pid);

}  // namespace pfe

#endif  // EXPORTER_SOURCE_CGROUP_READER_H_
