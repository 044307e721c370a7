// SPDX-License-Identifier: Apache-2.0
// Parts of an ELF file that somebody else wrote, and that he can change while
// it is read.
#ifndef EXPORTER_PROFILE_ELF_IMAGE_H_
#define EXPORTER_PROFILE_ELF_IMAGE_H_

#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace pfe {

// A private copy for libelf. Of a descriptor libelf would read what it needs
// when it needs it, and take memory for as many sections as the file says at
// that time: gigabytes. So the headers are copied and checked first, then what
// Read() is asked for. Nothing of the file itself is mapped: reading a mapping
// of a file that was truncated would end the program.
class ElfImage {
 public:
  // The largest programs have some hundred sections.
  static constexpr size_t kMostSections = 4096;
  static constexpr size_t kMostSegments = 256;
  static constexpr int64_t kMostFileBytes = int64_t{1} << 30;
  static constexpr uint64_t kMostNoteBytes = 65536;  // that are read, together

  // Which tables libelf sees.
  enum class Parts { kAll, kSegments };

  // Does not take the descriptor over. It must stay open for Read().
  explicit ElfImage(int fd, Parts parts = Parts::kAll);
  ~ElfImage();
  ElfImage(const ElfImage&) = delete;
  ElfImage& operator=(const ElfImage&) = delete;

  // Null if it is no ELF file of this machine's byte order, or one with more
  // than the limits. What was not read is zero.
  Elf* elf() const { return elf_; }
  // Copies a part. Returns false if the file does not have all of it, or if it
  // would change the headers.
  bool Read(uint64_t offset, uint64_t size);
  // Bytes; empty if there is none.
  std::string BuildId();

 private:
  struct Range {
    uint64_t begin = 0, end = 0;
    bool Overlaps(const Range& other) const {
      return begin < other.end && other.begin < end;
    }
  };

  bool Copy(const Range& range);
  bool CopyHeaders();
  template <typename Header, typename Segment, typename Section>
  bool CopyTables();
  std::string BuildIdIn(uint64_t offset, uint64_t size, uint64_t* left);

  const int fd_;
  const Parts parts_;
  uint64_t size_ = 0;
  char* image_ = nullptr;
  Range header_, segments_, sections_;
  Elf* elf_ = nullptr;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_ELF_IMAGE_H_
