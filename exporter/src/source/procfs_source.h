// SPDX-License-Identifier: Apache-2.0
// /proc, for a kernel without the module: faults since each process started,
// by severity only, and nothing of those that came and went between two reads.
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
  // One read of `stat` a process. Processes that go meanwhile are left out.
  std::optional<Error> Read(Snapshot* snapshot) override;

 private:
  const std::string procfs_;
};

// Adds a process by the text of /proc/PID/stat (proc(5)); false, and nothing is
// added, if it is a kernel thread or the text is not understood.
bool ParseProcStat(std::string_view text, ProcessTable* table);

}  // namespace pfe

#endif  // EXPORTER_SOURCE_PROCFS_SOURCE_H_
