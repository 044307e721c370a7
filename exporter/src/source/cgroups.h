// SPDX-License-Identifier: Apache-2.0
// The control groups of processes: by the ids that the table has, or from
// /proc/PID/cgroup where there are no ids, no hierarchy to look them up in, or
// systemd uses another hierarchy than the ids are of.
#ifndef EXPORTER_SOURCE_CGROUPS_H_
#define EXPORTER_SOURCE_CGROUPS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/process_table.h"
#include "base/row_names.h"
#include "source/cgroup_cache.h"
#include "source/cgroup_paths.h"
#include "source/cgroup_reader.h"
#include "source/pod_names.h"

namespace pfe {

// For one thread.
class Cgroups {
 public:
  // Where procfs and the hierarchies are mounted, and where the kubelet's logs
  // are.
  Cgroups(std::string procfs, const std::string& mount,
          const std::string& pod_logs)
      : procfs_(std::move(procfs)), pod_names_(pod_logs), paths_(mount) {}

  // Finds the groups of all rows. `now_ns` is the boot time of the table,
  // `seconds` the time since the one before.
  void FindAll(const ProcessTable& processes, uint64_t now_ns, double seconds);
  // Finds those of these rows, ordered by pid; there are no names().
  void FindOf(const ProcessTable& processes,
              const std::vector<uint32_t>& selected, uint64_t now_ns,
              double seconds);

  const std::shared_ptr<const CgroupTable>& table() const { return table_; }
  // Whether the groups were found by the ids of the table. Then they are those
  // of exited processes too.
  bool by_ids() const { return by_ids_; }
  // The name of each row: its path, "id:" and its id, or kUnknownCgroup. The
  // names live until groups are found again.
  const RowNames& names() const { return *names_; }
  // Whether groups came or went or got names, or a process of /proc is in
  // another one. A process whose id changed is not noted here.
  bool changed() const { return changed_; }
  // A sentence that says which groups could not be found in this tick, and why;
  // empty if all is well.
  const std::string& error() const { return error_; }
  const PodNames& pod_names() const { return pod_names_; }

 private:
  bool FindByIds(const ProcessTable& processes, uint64_t now_ns,
                 double seconds);
  void FindByCache(const ProcessTable& processes,
                   const std::vector<uint32_t>& selected, double seconds);
  void NameByCache(const ProcessTable& processes);

  const std::string procfs_;
  PodNames pod_names_;
  CgroupPaths paths_;
  CgroupCache cache_;
  LayoutReader layout_;
  RowNames cache_names_;
  const RowNames* names_ = &cache_names_;
  std::shared_ptr<const CgroupTable> table_ =
      std::make_shared<const CgroupTable>();
  bool by_ids_ = false;
  bool changed_ = false;
  std::string error_;
};

}  // namespace pfe

#endif  // EXPORTER_SOURCE_CGROUPS_H_
