// SPDX-License-Identifier: Apache-2.0
// The input is an ELF file, and libdw uses what CallFrames takes for safe.
#include <elfutils/libdw.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "profile/call_frames.h"

namespace {

void UseRegister(Dwarf_Frame* frame, int number) {
  Dwarf_Op room[3];
  Dwarf_Op* ops = nullptr;
  size_t count = 0;
  dwarf_frame_register(frame, number, room, &ops, &count);
}

void Use(Dwarf_CFI* cfi, uint64_t address) {
  Dwarf_Frame* frame = nullptr;
  if (dwarf_cfi_addrframe(cfi, address, &frame) != 0) return;
  Dwarf_Op* ops = nullptr;
  size_t count = 0;
  dwarf_frame_cfa(frame, &ops, &count);
  for (int number = 0; number < 17; ++number) UseRegister(frame, number);
  free(frame);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) abort();
  uint64_t bytes_left = pfe::CallFrames::kMostBytes;
  const auto frames = pfe::CallFrames::Read(fd, "", &bytes_left);
  close(fd);
  if (!frames) return 0;
  Elf* const elf = frames->NewElf();
  Dwarf_CFI* const cfi = dwarf_getcfi_elf(elf);
  for (uint64_t offset = 0; cfi && offset < size; ++offset) {
    const auto address = frames->AddressOf(offset);
    if (address && frames->HasSafe(*address)) Use(cfi, *address);
  }
  dwarf_cfi_end(cfi);
  elf_end(elf);
  return 0;
}
