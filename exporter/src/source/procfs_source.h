// SPDX-License-Identifier: Apache-2.0
// Reads /proc, for a kernel without the module. It has each process's faults
// since the process started, by severity only, and its memory. Processes that
// start and exit between two reads are not seen.
#ifndef EXPORTER_SOURCE_PROCFS_SOURCE_H_
#define EXPORTER_SOURCE_PROCFS_SOURCE_H_

#include <optional>
#include <string>
#include <string_view>

#include "source/source.h"

namespace pfe {

class ProcfsSource : public Source {
 public:
  // `procfs` is the mount, usually /proc.
  explicit ProcfsSource(std::string procfs);

  const char* Name() const override { return "procfs"; }
  // Reads the file `stat` of each process, and `status` while the host has huge
  // pages of hugetlb. Processes that exit during the read are left out. A file
  // that cannot be read or is malformed is an error, and so is that processes
  // cannot be seen: kHidden or kNoPermission.
  // Those outside of the pid namespace of the mount are no error: to read the
  // processes of a container alone may be what a user wants.
  std::optional<Error> Read(Snapshot* snapshot) override;

 private:
  Error Hidden() const;
  Error Unreadable(const std::string& file, int error) const;
  std::optional<Error> CheckComplete(int procfs,
                                     const ProcessTable& processes) const;

  const std::string procfs_;
};

enum class StatText { kProcess, kKernelThread, kMalformed };

// Says what a text of /proc/PID/stat describes (proc(5)), and adds it to the
// table if it is a process.
StatText ParseProcStat(std::string_view text, ProcessTable* table);

}  // namespace pfe

#endif  // EXPORTER_SOURCE_PROCFS_SOURCE_H_
