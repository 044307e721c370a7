// SPDX-License-Identifier: Apache-2.0
// The call frame information of an ELF file: how to find the caller of each of
// its functions.
#ifndef EXPORTER_PROFILE_CALL_FRAMES_H_
#define EXPORTER_PROFILE_CALL_FRAMES_H_

#include <gelf.h>
#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profile/elf_image.h"

namespace pfe {

// A copy for libdw of .eh_frame and of its search table, .eh_frame_hdr. The
// file says what libdw does: it takes as much memory as the largest register
// number needs, and follows offsets out of its data. So a record is checked
// before libdw gets to it. Of the file's sections libdw sees none, so that it
// looks for nothing else.
class CallFrames {
 public:
  static constexpr uint64_t kMostBytes = 64 << 20;
  // Of the record of a function.
  static constexpr size_t kMostRecordBytes = 16384;

  // Does not take the descriptor over, and does not use it later. Returns null
  // if the file has no such table, is none of this machine, has another build
  // id (if `build_id` is not empty), or if it has more than `*bytes_left`,
  // which becomes less by the size of the copy.
  static std::unique_ptr<CallFrames> Read(int fd, const std::string& build_id,
                                          uint64_t* bytes_left);

  // The address that the file gives to what is at an offset in it; nothing if
  // that is not loaded.
  std::optional<uint64_t> AddressOf(uint64_t offset) const;
  // Whether there is a record for an address, and it can be given to libdw.
  bool HasSafe(uint64_t address) const;
  // The file's addresses, as libdwfl reckons them.
  uint64_t begin() const { return begin_; }
  uint64_t end() const { return end_; }

  Elf* elf() const { return image_.elf(); }
  // To be ended by the caller, while this is there.
  Elf* NewElf() const;

 private:
  explicit CallFrames(int fd) : image_(fd, ElfImage::Parts::kSegments) {}

  bool Load(const std::string& build_id, uint64_t* bytes_left);
  bool ReadSegments();
  bool Copy(uint64_t* bytes_left);
  bool CheckTable();
  uint64_t FramesFromTable() const;
  uint64_t TableValue(size_t at) const;
  // Of the functions in the table: the address, and the offset of the record.
  uint64_t FunctionAt(size_t index) const;
  uint64_t RecordOf(size_t index) const;
  bool IsSafeFunction(uint64_t offset) const;
  bool IsSafeCommon(uint64_t offset) const;
  // The content of a record; empty if there is none.
  std::string_view RecordAt(uint64_t offset) const;

  ElfImage image_;
  std::vector<GElf_Phdr> segments_;  // that are loaded
  GElf_Phdr table_segment_{};
  uint64_t begin_ = 0, end_ = 0;
  std::string_view table_;   // .eh_frame_hdr
  std::string_view frames_;  // .eh_frame, and what follows it
  uint64_t frames_address_ = 0;
  size_t functions_ = 0;  // in the table
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_CALL_FRAMES_H_
