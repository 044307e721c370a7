// SPDX-License-Identifier: Apache-2.0
// The control groups of processes, read from /proc/PID/cgroup.
#ifndef EXPORTER_SOURCE_CGROUP_CACHE_H_
#define EXPORTER_SOURCE_CGROUP_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/process_table.h"
#include "source/cgroup.h"
#include "source/cgroup_reader.h"
#include "source/pod_names.h"
#include "source/process_facts.h"

namespace pfe {

// The control groups of one tick.
class CgroupTable {
 public:
  using ById = std::unordered_map<uint64_t, std::shared_ptr<const Cgroup>>;

  CgroupTable() = default;
  // Of groups that are found by their ids, and not by processes.
  explicit CgroupTable(std::shared_ptr<const ById> by_id)
      : by_id_(std::move(by_id)) {}

  // Null if the process has no control group, or if none was read yet.
  const Cgroup* Of(const Process& process) const;
  // The same, as an object that can be kept.
  std::shared_ptr<const Cgroup> Share(const Process& process) const;

 private:
  friend class CgroupCache;
  struct Entry {
    uint32_t pid = 0;
    uint64_t start_ns = 0;
    bool live = false;
    bool read = false;
    std::shared_ptr<const Cgroup> cgroup;

    bool IsOf(const Process& process) const {
      return pid == process.pid &&
             start_ns / kProcTickNs == process.start_ns / kProcTickNs;
    }
  };
  std::vector<Entry> entries_;  // by pid
  std::shared_ptr<const ById> by_id_;
};

// Each read opens a file, so not every process is read every tick. A process is
// read when it is new, and in the next tick if that fails. After that,
// processes are read again in turns.
class CgroupCache {
 public:
  // The most control groups that are read in a tick.
  static constexpr size_t kMostReads = 1000;
  // A process that moved is seen in its new control group within this time, or
  // later if that takes more reads than kMostReads a tick.
  static constexpr double kTurnSeconds = 60;

  // Takes the processes whose control groups are wanted, ordered by pid;
  // `seconds` is the time since the tick before. In a cgroup namespace of the
  // exporter's own no process has a control group: see CgroupLayout. While the
  // layout is not known, none is read.
  void Update(const std::string& procfs,
              const std::optional<CgroupLayout>& layout,
              const ProcessTable& processes,
              const std::vector<uint32_t>& selected, double seconds,
              PodNames* names);

  // Of the last Update().
  const std::shared_ptr<const CgroupTable>& table() const { return table_; }
  // Whether the last Update() found a process in another control group than
  // before, or a name that was not known before.
  bool changed() const { return changed_; }
  // A sentence that says what the last Update() could not read, and why.
  const std::string& error() const { return error_; }

 private:
  using Entry = CgroupTable::Entry;

  std::vector<Entry> Carry(const ProcessTable& processes,
                           const std::vector<uint32_t>& selected) const;
  void ReadSome(const std::string& procfs, double seconds, PodNames* names,
                std::vector<Entry>* entries);
  void Read(const std::string& procfs, PodNames* names, Entry* entry);
  std::shared_ptr<const Cgroup> Share(std::string path, PodNames* names);
  void AddNames(PodNames* names, std::vector<Entry>* entries);

  std::shared_ptr<const CgroupTable> table_ =
      std::make_shared<const CgroupTable>();
  // Processes of one control group share one object.
  std::map<std::string, std::weak_ptr<const Cgroup>, std::less<>> shared_;
  FactsReader reader_;
  WantedFacts wanted_{.cgroup = true};
  uint32_t next_pid_ = 0;  // where the next turn goes on
  bool changed_ = false;
  std::string error_;
};

}  // namespace pfe

#endif  // EXPORTER_SOURCE_CGROUP_CACHE_H_
