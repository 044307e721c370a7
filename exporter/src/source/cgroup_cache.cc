// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_cache.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace pfe {

// Processes of one control group have one object of it.
std::shared_ptr<const Cgroup> CgroupCache::Share(std::string path) {
  if (path.empty()) return nullptr;
  std::weak_ptr<const Cgroup>& place = shared_[path];
  if (auto there = place.lock()) return there;
  const auto cgroup = std::make_shared<Cgroup>();
  cgroup->info = ParseCgroupPath(path);
  cgroup->path = std::move(path);
  place = cgroup;
  return cgroup;
}

void CgroupCache::Read(const std::string& procfs, Entry* entry) {
  std::shared_ptr<const Cgroup> now = Share(ReadCgroup(procfs, entry->pid));
  // One that just went cannot be read; it is gone in the next tick.
  if (!now && entry->cgroup) return;
  changed_ |= now != entry->cgroup;
  entry->cgroup = std::move(now);
  entry->read = true;
}

// Both are in the order of pids: what is known is carried over.
void CgroupCache::Take(const ProcessTable& processes,
                       const std::vector<uint32_t>& selected) {
  std::vector<Entry> old = std::exchange(entries_, {});
  entries_.reserve(selected.size());
  auto known = old.begin();
  for (uint32_t i : selected) {
    const Process& process = processes[i];
    while (known != old.end() && known->pid < process.pid) ++known;
    if (known != old.end() && known->pid == process.pid &&
        known->start_ns / kProcTickNs == process.start_ns / kProcTickNs)
      entries_.push_back(std::move(*known));
    else
      entries_.push_back({process.pid, process.start_ns, false, nullptr});
  }
}

void CgroupCache::Update(const std::string& procfs,
                         const ProcessTable& processes,
                         const std::vector<uint32_t>& selected) {
  changed_ = false;
  Take(processes, selected);
  size_t left = kMostReads;
  for (Entry& entry : entries_) {
    if (left == 0) break;
    if (entry.read) continue;
    Read(procfs, &entry);
    --left;
  }
  left = std::min(left, (entries_.size() + kTicks - 1) / kTicks);
  auto next = std::lower_bound(
      entries_.begin(), entries_.end(), next_pid_,
      [](const Entry& entry, uint32_t pid) { return entry.pid < pid; });
  for (; left > 0; --left, ++next) {
    if (next == entries_.end()) next = entries_.begin();
    Read(procfs, &*next);
    next_pid_ = next->pid + 1;
  }
  std::erase_if(shared_,
                [](const auto& item) { return item.second.expired(); });
}

const Cgroup* CgroupCache::Of(const Process& process) const {
  const auto found = std::lower_bound(
      entries_.begin(), entries_.end(), process.pid,
      [](const Entry& entry, uint32_t pid) { return entry.pid < pid; });
  return found != entries_.end() && found->pid == process.pid &&
                 found->start_ns / kProcTickNs == process.start_ns / kProcTickNs
             ? found->cgroup.get()
             : nullptr;
}

}  // namespace pfe
