// SPDX-License-Identifier: Apache-2.0
// The symbol table of an ELF file that somebody else wrote, and that he can
// change while it is read.
#ifndef EXPORTER_PROFILE_SYMBOLS_H_
#define EXPORTER_PROFILE_SYMBOLS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pfe {

// Everything is read by pread(2), not mapped: reading a mapping of a file that
// was truncated would end the program. Each table that is larger than its limit
// is taken as absent, so that time and memory are bounded.
class Symbols {
 public:
  // Of a symbol table; 64 MiB are 2.8 million symbols.
  static constexpr uint64_t kMostTableBytes = 64 << 20;
  // A longer name is cut.
  static constexpr size_t kMostNameBytes = 1024;

  // Opens a file that may have the symbols of a stripped one: by its name in
  // .gnu_debuglink, or by its build id. Returns a descriptor, or a negative
  // number.
  struct DebugFiles {
    std::function<int(const std::string& name)> by_name;
    std::function<int(const std::string& build_id)> by_build_id;
  };

  // Takes the descriptor over. A file that is no ELF file has no symbols.
  explicit Symbols(int fd);
  ~Symbols();
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  // Bytes; empty if the file has none.
  const std::string& build_id() const { return build_id_; }
  // Reads the functions: from .symtab, else from that of a debug file with the
  // same build id, else from .dynsym.
  void Load(const DebugFiles& debug_files);
  // The name of the function that has an offset in the file, as the symbol
  // table has it; empty if there is none.
  std::string Name(uint64_t offset) const;

 private:
  struct Segment {
    uint64_t offset, size, address;
  };
  struct Symbol {
    uint64_t address;
    uint64_t size;
    uint64_t name;  // where it is in the file with the names
    bool is_local;
  };
  class ElfFile;

  bool LoadTable(const ElfFile& elf, uint32_t type);
  bool LoadDebugFile(int fd);
  std::string ReadName(uint64_t at) const;

  int fd_;
  int names_fd_ = -1;  // fd_, or the debug file
  std::string build_id_;
  std::vector<Segment> segments_;
  std::vector<Symbol> symbols_;  // by address
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_SYMBOLS_H_
