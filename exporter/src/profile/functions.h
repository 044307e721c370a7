// SPDX-License-Identifier: Apache-2.0
// Names the functions of programs and libraries, by their symbol tables.
#ifndef EXPORTER_PROFILE_FUNCTIONS_H_
#define EXPORTER_PROFILE_FUNCTIONS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "profile/address_spaces.h"

namespace pfe {

// The name of a C++ function as people write it; any other name, and one that
// refers back to itself too often, as it is. It is cut at 256 bytes.
std::string Demangled(const std::string& name);

// A file that was opened while a process had it mapped, so that it can be read
// after the process has exited.
class CodeFile;

// For one thread.
class Functions {
 public:
  // A larger file is not opened.
  static constexpr off_t kMostFileBytes = off_t{1} << 30;
  // Further files are not opened.
  static constexpr size_t kMostFiles = 512;

  explicit Functions(std::string procfs);
  ~Functions();

  // Opens the file of a mapping, which is quick; null if it cannot be opened.
  // The file is that of the process's root directory, so also that of a
  // container. If the process is gone it is that of the host, if it is the same
  // file. `thread` is any thread of the process.
  CodeFile* Open(uint32_t thread, const Mapping& mapping);
  // The function at an offset in a file; empty if there is no symbol. The first
  // call for a file reads its symbol table.
  std::string Name(CodeFile* file, uint64_t offset) const;

 private:
  std::unique_ptr<CodeFile> OpenAnew(int root, const Mapping& mapping) const;

  const std::string procfs_;
  // By path and identity; null if it cannot be read.
  std::map<std::string, std::unique_ptr<CodeFile>> files_;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_FUNCTIONS_H_
