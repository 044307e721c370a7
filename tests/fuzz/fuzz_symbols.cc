// SPDX-License-Identifier: Apache-2.0
// The input is the ELF file of a program, and that of its debug file.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "profile/functions.h"
#include "profile/symbols.h"

namespace {

int FileOf(const uint8_t* data, size_t size) {
  const int fd = memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) abort();
  return fd;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pfe::Symbols symbols(FileOf(data, size));
  const auto debug_file = [&](const std::string&) {
    return FileOf(data, size);
  };
  pfe::SymbolLimits limits;
  symbols.Load("", {debug_file, debug_file}, &limits);
  for (uint64_t offset = 0; offset < 2 * size; offset += 16)
    pfe::Demangled(symbols.Name(offset));
  for (const uint64_t offset : {UINT64_MAX, uint64_t{1} << 63})
    symbols.Name(offset);
  return 0;
}
