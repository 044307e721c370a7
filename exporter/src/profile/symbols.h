// SPDX-License-Identifier: Apache-2.0
// The symbol table of an ELF file.
#ifndef EXPORTER_PROFILE_SYMBOLS_H_
#define EXPORTER_PROFILE_SYMBOLS_H_

#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pfe {

class ElfImage;

// What reading symbol tables may take, all together.
struct SymbolLimits {
  size_t bytes_left = 32 << 20;  // for 1.4 million functions
  std::function<bool()> is_over = [] { return false; };
  // Tables that were not read, because they are too large.
  uint64_t left_out = 0;
};

class Symbols {
 public:
  // Of a table; 32 MiB are 1.4 million symbols.
  static constexpr uint64_t kMostTableBytes = 32 << 20;
  // A longer name is cut.
  static constexpr size_t kMostNameBytes = 1024;

  // Opens a file that may have the symbols of a stripped one: by its name in
  // .gnu_debuglink, or by its build id. Returns a descriptor, or a negative
  // number.
  struct DebugFiles {
    std::function<int(const std::string& name)> by_name;
    std::function<int(const std::string& build_id)> by_build_id;
  };

  // Takes the descriptor over, and reads nothing.
  explicit Symbols(int fd) : fd_(fd) {}
  ~Symbols();
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  int fd() const { return fd_; }
  // Reads the functions: from .symtab, else from that of a debug file with the
  // same build id, else from .dynsym. A file that is no ELF file has none, and
  // so has one with another build id, if `build_id` is not empty.
  void Load(const std::string& build_id, const DebugFiles& debug_files,
            SymbolLimits* limits);
  // Bytes; empty if it is not known, or not loaded.
  const std::string& build_id() const { return build_id_; }
  // The name of the function that has an offset in the file, as the symbol
  // table has it; empty if there is none.
  std::string Name(uint64_t offset) const;

 private:
  struct Segment {
    uint64_t offset, size, address;
  };
  struct Symbol {
    uint64_t address;
    uint64_t size : 63;
    uint64_t is_local : 1;
    uint32_t name;  // where it is among the names
  };

  bool LoadTable(ElfImage* image, uint32_t type, SymbolLimits* limits);
  bool LoadDebugFile(int fd, const std::string& build_id, SymbolLimits* limits);
  bool TakeFunctions(Elf_Data* data, uint64_t names_size, SymbolLimits* limits);
  std::string ReadName(uint64_t at) const;

  const int fd_;
  std::string build_id_;
  int names_fd_ = -1;  // fd_, or the debug file
  uint64_t names_at_ = 0;
  std::vector<Segment> segments_;
  std::vector<Symbol> symbols_;  // by address
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_SYMBOLS_H_
