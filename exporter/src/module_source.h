// SPDX-License-Identifier: Apache-2.0
// The kernel module's table below a debugfs mount.
#ifndef EXPORTER_MODULE_SOURCE_H_
#define EXPORTER_MODULE_SOURCE_H_

#include <string>

#include "source.h"

namespace pfe {

class ModuleSource : public Source {
 public:
  // `debugfs` is the mount, usually /sys/kernel/debug.
  explicit ModuleSource(std::string debugfs);

  const char* Name() const override { return "module"; }
  // Reads `stats`, `processes` and, where it is, `latency`. An absent directory is told apart: debugfs
  // itself (kNoDebugfs) or the module's directory in it (kNoModule).
  Result<Snapshot> Read() override;

 private:
  Result<std::string_view> ReadFile(const char* name);
  Result<Stats> ReadStats();
  Result<Latency> ReadLatency();
  Error OpenError(const std::string& path, int error) const;

  const std::string debugfs_;
  const std::string directory_;
  std::string buffer_;  // kept from tick to tick
};

}  // namespace pfe

#endif  // EXPORTER_MODULE_SOURCE_H_
