// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_cache.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace pfe {

std::shared_ptr<const Cgroup> CgroupTable::Share(const Process& process) const {
  if (by_id_) {
    const auto found = by_id_->find(process.cgroup);
    return found == by_id_->end() ? nullptr : found->second;
  }
  auto found = std::lower_bound(
      entries_.begin(), entries_.end(), process.pid,
      [](const Entry& entry, uint32_t pid) { return entry.pid < pid; });
  // An exited process and a live one can have one pid.
  while (found != entries_.end() && found->pid == process.pid &&
         !found->IsOf(process))
    ++found;
  return found != entries_.end() && found->pid == process.pid ? found->cgroup
                                                              : nullptr;
}

// The object lives as long as the table.
const Cgroup* CgroupTable::Of(const Process& process) const {
  return Share(process).get();
}

std::shared_ptr<const Cgroup> CgroupCache::Share(std::string path,
                                                 PodNames* names) {
  if (path.empty()) return nullptr;
  std::weak_ptr<const Cgroup>& place = shared_[path];
  if (auto there = place.lock()) return there;
  auto cgroup = MakeCgroup(std::move(path), names);
  place = cgroup;
  return cgroup;
}

// The control group of a process that has exited is kept until its row is gone.
// A process that is there, but cannot be read now, is as one that is new.
void CgroupCache::Read(const std::string& procfs, PodNames* names,
                       Entry* entry) {
  entry->read = true;
  if (!entry->live) return;
  Process process;
  process.pid = entry->pid;
  process.start_ns = entry->start_ns;
  auto facts = reader_.Read(procfs, process, wanted_);
  if (!reader_.error().empty()) error_ = reader_.error();
  entry->read = !reader_.may_end();
  if (!facts) return;
  std::shared_ptr<const Cgroup> now = Share(std::move(facts->cgroup), names);
  changed_ |= now != entry->cgroup;
  entry->cgroup = std::move(now);
}

// Makes an entry for each selected process, with the control group that the
// last tick had for it. `selected` and the entries are ordered by pid.
std::vector<CgroupCache::Entry> CgroupCache::Carry(
    const ProcessTable& processes,
    const std::vector<uint32_t>& selected) const {
  std::vector<Entry> entries;
  entries.reserve(selected.size());
  auto known = table_->entries_.begin();
  const auto end = table_->entries_.end();
  for (uint32_t i : selected) {
    const Process& process = processes[i];
    while (known != end && known->pid < process.pid) ++known;
    auto same = known;
    while (same != end && same->pid == process.pid && !same->IsOf(process))
      ++same;
    if (same != end && same->pid == process.pid)
      entries.push_back(*same);
    else
      entries.push_back(
          {process.pid, process.start_ns, process.live, false, nullptr});
    entries.back().live = process.live;
  }
  return entries;
}

// Reads the processes that are new, then the next ones in turn.
void CgroupCache::ReadSome(const std::string& procfs, double seconds,
                           PodNames* names, std::vector<Entry>* entries) {
  size_t left = kMostReads;
  for (Entry& entry : *entries) {
    if (left == 0) break;
    if (entry.read) continue;
    Read(procfs, names, &entry);
    --left;
  }
  const double part = std::min(seconds / kTurnSeconds, 1.0);
  left = std::min(left, static_cast<size_t>(std::ceil(
                            static_cast<double>(entries->size()) * part)));
  auto next = std::lower_bound(
      entries->begin(), entries->end(), next_pid_,
      [](const Entry& entry, uint32_t pid) { return entry.pid < pid; });
  for (; left > 0; --left, ++next) {
    if (next == entries->end()) next = entries->begin();
    Read(procfs, names, &*next);
    next_pid_ = next->pid + 1;
  }
}

// Names the control groups whose names were not known.
void CgroupCache::AddNames(PodNames* names, std::vector<Entry>* entries) {
  std::map<const Cgroup*, std::shared_ptr<const Cgroup>> named;
  for (auto& [path, place] : shared_) {
    const std::shared_ptr<const Cgroup> cgroup = place.lock();
    if (!cgroup) continue;
    const auto renamed = NamedAnew(*cgroup, names);
    if (!renamed) continue;
    named.emplace(cgroup.get(), renamed);
    place = renamed;
  }
  if (named.empty()) return;
  changed_ = true;
  for (Entry& entry : *entries) {
    const auto found = named.find(entry.cgroup.get());
    if (found != named.end()) entry.cgroup = found->second;
  }
}

void CgroupCache::Update(const std::string& procfs,
                         const std::optional<CgroupLayout>& layout,
                         const ProcessTable& processes,
                         const std::vector<uint32_t>& selected, double seconds,
                         PodNames* names) {
  changed_ = false;
  error_.clear();
  const auto table = std::make_shared<CgroupTable>();
  table->entries_ = Carry(processes, selected);
  if (layout && !layout->other_root) {
    wanted_.by_systemd = layout->by_systemd;
    ReadSome(procfs, seconds, names, &table->entries_);
    AddNames(names, &table->entries_);
  }
  std::erase_if(shared_,
                [](const auto& item) { return item.second.expired(); });
  table_ = table;
}

}  // namespace pfe
