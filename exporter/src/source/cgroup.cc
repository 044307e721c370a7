// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup.h"

#include <utility>

namespace pfe {

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
