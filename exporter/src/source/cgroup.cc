// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup.h"

#include <utility>

namespace pfe {

std::string ShownName(const Cgroup& cgroup) {
  std::string shown;
  for (const std::string* part :
       {&cgroup.name.pod_namespace, &cgroup.name.pod, &cgroup.name.container}) {
    if (part->empty()) continue;
    if (!shown.empty()) shown += '/';
    shown += *part;
  }
  if (!shown.empty()) return shown;
  return cgroup.info.unit.empty() ? cgroup.path : cgroup.info.unit;
}

std::shared_ptr<const Cgroup> MakeCgroup(std::string path, PodNames* names) {
  auto cgroup = std::make_shared<Cgroup>();
  cgroup->info = ParseCgroupPath(path);
  cgroup->name = names->Of(cgroup->info);
  cgroup->path = std::move(path);
  return cgroup;
}

std::shared_ptr<const Cgroup> NamedAnew(const Cgroup& cgroup, PodNames* names) {
  if (PodNames::IsWhole(cgroup.info, cgroup.name)) return nullptr;
  PodName now = names->Of(cgroup.info);
  const PodName& before = cgroup.name;
  if ((!before.pod.empty() || now.pod.empty()) &&
      (!before.container.empty() || now.container.empty()))
    return nullptr;
  auto named = std::make_shared<Cgroup>(cgroup);
  named->name = std::move(now);
  return named;
}

}  // namespace pfe
