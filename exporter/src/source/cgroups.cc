// SPDX-License-Identifier: Apache-2.0
#include "source/cgroups.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace pfe {

// Starts a tick. Returns whether the ids of the table tell the groups: they are
// those of the unified hierarchy.
bool Cgroups::FindByIds(const ProcessTable& processes, uint64_t now_ns,
                        double seconds) {
  pod_names_.Begin(seconds);
  const bool did = by_ids_;
  layout_.Update(procfs_);
  error_ = layout_.error();
  const auto& layout = layout_.layout();
  by_ids_ = false;
  if (layout && !layout->by_systemd) {
    by_ids_ = paths_.Update(processes, now_ns, &pod_names_);
    if (error_.empty()) error_ = paths_.error();
  }
  changed_ = did != by_ids_;
  if (!by_ids_) return false;
  names_ = &paths_.names();
  changed_ |= paths_.changed();
  if (changed_) table_ = std::make_shared<const CgroupTable>(paths_.groups());
  return true;
}

void Cgroups::FindByCache(const ProcessTable& processes,
                          const std::vector<uint32_t>& selected,
                          double seconds) {
  cache_.Update(procfs_, layout_.layout(), processes, selected, seconds,
                &pod_names_);
  if (error_.empty()) error_ = cache_.error();
  table_ = cache_.table();
  changed_ |= cache_.changed();
}

// Processes of one group share its object.
void Cgroups::NameByCache(const ProcessTable& processes) {
  names_ = &cache_names_;
  cache_names_.names = {kUnknownCgroup};
  cache_names_.of_row.resize(processes.size());
  std::unordered_map<const Cgroup*, uint32_t> index = {{nullptr, 0}};
  for (size_t row = 0; row < processes.size(); ++row) {
    const Cgroup* cgroup = table_->Of(processes[row]);
    const auto [at, is_new] = index.try_emplace(
        cgroup, static_cast<uint32_t>(cache_names_.names.size()));
    if (is_new) cache_names_.names.push_back(cgroup->path);
    cache_names_.of_row[row] = at->second;
  }
}

void Cgroups::FindOf(const ProcessTable& processes,
                     const std::vector<uint32_t>& selected, uint64_t now_ns,
                     double seconds) {
  if (!FindByIds(processes, now_ns, seconds))
    FindByCache(processes, selected, seconds);
}

void Cgroups::FindAll(const ProcessTable& processes, uint64_t now_ns,
                      double seconds) {
  if (FindByIds(processes, now_ns, seconds)) return;
  std::vector<uint32_t> all(processes.size());
  std::iota(all.begin(), all.end(), 0u);
  std::sort(all.begin(), all.end(), [&](uint32_t a, uint32_t b) {
    return processes[a].pid < processes[b].pid;
  });
  FindByCache(processes, all, seconds);
  NameByCache(processes);
}

}  // namespace pfe
