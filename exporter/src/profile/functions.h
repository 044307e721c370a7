// SPDX-License-Identifier: Apache-2.0
// Names the functions of programs and libraries, by their symbol tables.
#ifndef EXPORTER_PROFILE_FUNCTIONS_H_
#define EXPORTER_PROFILE_FUNCTIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "profile/address_spaces.h"

namespace pfe {

// For one thread.
class Functions {
 public:
  // A larger file is not opened.
  static constexpr uint64_t kMostFileBytes = uint64_t{1} << 30;
  // At this many files all are closed.
  static constexpr size_t kMostFiles = 512;

  explicit Functions(std::string procfs);
  ~Functions();

  // The function at an offset in a mapped file: from .symtab, .dynsym, the
  // separate debug file, or .gnu_debugdata. Empty if there is no symbol. The
  // file is that of the process's root directory, so also that of a container.
  // If the process is gone it is that of the host, if it is the same file.
  std::string Name(uint32_t pid, const Mapping& mapping, uint64_t offset);

 private:
  class File;

  File* Open(uint32_t pid, const Mapping& mapping);

  const std::string procfs_;
  // By name and identity; null if it cannot be read.
  std::unordered_map<std::string, std::unique_ptr<File>> files_;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_FUNCTIONS_H_
