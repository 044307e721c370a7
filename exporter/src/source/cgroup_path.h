// SPDX-License-Identifier: Apache-2.0
// What the path of a control group names: the unit, the pod, the container.
#ifndef EXPORTER_SOURCE_CGROUP_PATH_H_
#define EXPORTER_SOURCE_CGROUP_PATH_H_

#include <string>
#include <string_view>

namespace pfe {

// What the path does not name is empty.
struct CgroupInfo {
  // systemd's, with its escapes: the innermost service or scope.
  std::string unit;
  // Kubernetes's: with dashes, or 32 digits for a static pod.
  std::string pod_uid;
  // As the runtime calls it: 64 digits, or the name of an LXC or nspawn
  // container.
  std::string container_id;
};

// Takes any bytes. Where one container runs in another, the innermost one
// counts.
CgroupInfo ParseCgroupPath(std::string_view path);

}  // namespace pfe

#endif  // EXPORTER_SOURCE_CGROUP_PATH_H_
