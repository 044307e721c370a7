// SPDX-License-Identifier: Apache-2.0
// Reads the kernel module's files in debugfs.
#ifndef EXPORTER_SOURCE_MODULE_SOURCE_H_
#define EXPORTER_SOURCE_MODULE_SOURCE_H_

#include <functional>
#include <string>

#include "source/source.h"

namespace pfe {

class ModuleSource : public Source {
 public:
  // `debugfs` is the mount, usually /sys/kernel/debug.
  explicit ModuleSource(std::string debugfs);

  const char* Name() const override { return "module"; }
  // All files that are read are of one load of the module. If the module is
  // unloaded and loaded again during the read, the files are read once more.
  std::optional<Error> Read(Snapshot* snapshot) override;

 private:
  using Taker = std::function<std::optional<Error>(std::string_view)>;

  std::optional<Error> ReadLoad(int directory, Snapshot* snapshot);
  std::optional<Error> ReadPieces(int directory, const char* name,
                                  const Taker& take);
  Result<std::string> ReadWhole(int directory, const char* name);
  std::optional<Error> ReadTable(int directory, Snapshot* snapshot);
  std::optional<Error> ReadLatency(int directory, Snapshot* snapshot);
  std::string PathOf(const char* name) const { return directory_ + "/" + name; }
  Error OpenError(const std::string& path, int error) const;

  const std::string debugfs_;
  const std::string directory_;
  std::string buffer_;  // kept, so that a tick does not allocate
};

}  // namespace pfe

#endif  // EXPORTER_SOURCE_MODULE_SOURCE_H_
