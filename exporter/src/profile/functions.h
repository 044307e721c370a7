// SPDX-License-Identifier: Apache-2.0
// Names the functions of programs and libraries, by their symbol tables.
#ifndef EXPORTER_PROFILE_FUNCTIONS_H_
#define EXPORTER_PROFILE_FUNCTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "profile/address_spaces.h"
#include "profile/root_directory.h"
#include "profile/symbols.h"

namespace pfe {

// The name of a C++ function as people write it; any other name, and one that
// could become very long, as it is. It is cut at 256 bytes.
std::string Demangled(const std::string& name);

// A file that was opened while a process had it mapped, so that it can be read
// after the process has exited.
class CodeFile;

// For one thread.
class Functions {
 public:
  // Further files are not opened, nor are more than a part of the descriptors
  // that the process may have.
  static constexpr size_t kMostFiles = 512;

  explicit Functions(std::string procfs);
  ~Functions();

  // Opens the file of a mapping, which is quick; null if it cannot be opened.
  // The file is that of the process's root directory, so also that of a
  // container. If the process is gone it is that of the host, if it is the same
  // file. `thread` is any thread of the process.
  CodeFile* Open(uint32_t thread, const Mapping& mapping);
  // The descriptor of a file, open as long as this is.
  static int Descriptor(const CodeFile& file);
  // The function at an offset in a file; empty if there is no symbol. The first
  // call for a file reads its symbol table, unless `is_over` returns true.
  std::string Name(CodeFile* file, uint64_t offset,
                   const std::function<bool()>& is_over);
  // The build id of a file, as bytes; empty if it is not known.
  const std::string& BuildId(const CodeFile* file) const;
  // Files that were not opened, and symbol tables that were not read, because
  // there were too many or they were too large.
  uint64_t left_out() const { return unopened_ + limits_.left_out; }

 private:
  std::shared_ptr<const RootDirectory> RootOf(uint32_t thread);
  std::unique_ptr<CodeFile> OpenAnew(
      const std::shared_ptr<const RootDirectory>& root,
      const Mapping& mapping) const;

  const std::string procfs_;
  const std::shared_ptr<const RootDirectory> host_;
  const size_t most_files_;
  size_t open_files_ = 0;
  uint64_t unopened_ = 0;
  // By path and identity; null if it cannot be read.
  std::map<std::string, std::unique_ptr<CodeFile>> files_;
  // Of processes, by their keys.
  std::map<std::string, std::shared_ptr<const RootDirectory>> roots_;
  SymbolLimits limits_;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_FUNCTIONS_H_
