// SPDX-License-Identifier: Apache-2.0
// The control group of a process, and what its path says of who runs it.
#ifndef EXPORTER_SOURCE_CGROUP_READER_H_
#define EXPORTER_SOURCE_CGROUP_READER_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace pfe {

struct CgroupInfo {
  std::string unit;       // systemd's, e.g. nginx.service
  std::string pod;        // Kubernetes's uid, with dashes
  std::string container;  // 64 hexadecimal digits
};

// Takes a path apart; what it does not say stays empty.
CgroupInfo ParseCgroupPath(std::string_view path);

// The path in the text of /proc/PID/cgroup (cgroups(7)): of the unified
// hierarchy, else of systemd's named one, else of the first line.
std::string CgroupPathOf(std::string_view text);

// Reads PROCFS/PID/cgroup; empty if it cannot. Valid UTF-8.
std::string ReadCgroup(const std::string& procfs, uint64_t pid);

}  // namespace pfe

#endif  // EXPORTER_SOURCE_CGROUP_READER_H_
