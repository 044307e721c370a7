// SPDX-License-Identifier: Apache-2.0
// The control groups of the processes that have series of their own.
//
// A read is a file opened, so not all are read every tick: a process is read
// when it is met, and then again by turns.
#ifndef EXPORTER_SOURCE_CGROUP_CACHE_H_
#define EXPORTER_SOURCE_CGROUP_CACHE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/process_table.h"
#include "source/cgroup_reader.h"

namespace pfe {

// What processes of one control group share.
struct Cgroup {
  std::string path;
  CgroupInfo info;
};

class CgroupCache {
 public:
  // Control groups read a tick at most.
  static constexpr size_t kMostReads = 1000;
  // A process that moved is seen to be elsewhere within so many ticks, or more
  // if that takes more reads than kMostReads.
  static constexpr size_t kTicks = 12;

  // Takes the processes of this tick, in the order of their pids.
  void Update(const std::string& procfs, const ProcessTable& processes,
              const std::vector<uint32_t>& selected);

  // Null if it has none or was not read yet.
  const Cgroup* Of(const Process& process) const;
  // Whether the last Update() found any process in another one than before.
  bool changed() const { return changed_; }

 private:
  struct Entry {
    uint32_t pid = 0;
    uint64_t start_ns = 0;
    bool read = false;
    std::shared_ptr<const Cgroup> cgroup;
  };

  void Take(const ProcessTable& processes,
            const std::vector<uint32_t>& selected);
  void Read(const std::string& procfs, Entry* entry);
  std::shared_ptr<const Cgroup> Share(std::string path);

  std::vector<Entry> entries_;  // by pid
  std::map<std::string, std::weak_ptr<const Cgroup>, std::less<>> shared_;
  uint32_t next_pid_ = 0;  // from which on they are read again
  bool changed_ = false;
};

}  // namespace pfe

#endif  // EXPORTER_SOURCE_CGROUP_CACHE_H_
