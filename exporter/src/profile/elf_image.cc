// SPDX-License-Identifier: Apache-2.0
#include "profile/elf_image.h"

#include <elf.h>
#include <gelf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cstring>

namespace pfe {
namespace {

constexpr unsigned char kByteOrder =
    std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

}  // namespace

ElfImage::ElfImage(int fd, Parts parts) : fd_(fd), parts_(parts) {
  struct stat status {};
  if (fstat(fd, &status) != 0 || status.st_size < EI_NIDENT ||
      status.st_size > kMostFileBytes)
    return;
  size_ = static_cast<uint64_t>(status.st_size);
  // Only the pages that are copied take memory.
  void* const memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  image_ = static_cast<char*>(memory);
  elf_version(EV_CURRENT);
  if (CopyHeaders()) elf_ = elf_memory(image_, size_);
}

ElfImage::~ElfImage() {
  elf_end(elf_);
  if (image_) munmap(image_, size_);
}

bool ElfImage::Copy(const Range& range) {
  if (range.end < range.begin || range.end > size_) return false;
  uint64_t at = range.begin;
  while (at < range.end) {
    const ssize_t n =
        pread(fd_, image_ + at, range.end - at, static_cast<off_t>(at));
    if (n <= 0) return false;
    at += static_cast<uint64_t>(n);
  }
  return true;
}

bool ElfImage::Read(uint64_t offset, uint64_t size) {
  const Range range = {offset, offset + size};
  return !range.Overlaps(header_) && !range.Overlaps(segments_) &&
         !range.Overlaps(sections_) && Copy(range);
}

// A file with 65280 sections or more has their number elsewhere, as with no
// sections in the header. So has one with 65535 segments.
template <typename Header, typename Segment, typename Section>
bool ElfImage::CopyTables() {
  header_ = {0, sizeof(Header)};
  if (!Copy(header_)) return false;
  Header header;
  std::memcpy(&header, image_, sizeof(header));
  if (parts_ == Parts::kSegments) {
    header.e_shnum = header.e_shstrndx = 0;
    header.e_shoff = 0;
    std::memcpy(image_, &header, sizeof(header));
  }
  if (header.e_shnum > kMostSections || header.e_phnum > kMostSegments ||
      (header.e_shnum == 0 && header.e_shoff != 0))
    return false;
  segments_ = {header.e_phoff,
               header.e_phoff + header.e_phnum * sizeof(Segment)};
  sections_ = {header.e_shoff,
               header.e_shoff + header.e_shnum * sizeof(Section)};
  return !segments_.Overlaps(header_) && !sections_.Overlaps(header_) &&
         !segments_.Overlaps(sections_) && Copy(segments_) && Copy(sections_);
}

bool ElfImage::CopyHeaders() {
  if (!Copy({0, EI_NIDENT}) || std::memcmp(image_, ELFMAG, SELFMAG) != 0 ||
      image_[EI_DATA] != kByteOrder)
    return false;
  const char width = image_[EI_CLASS];
  const bool is_copied =
      width == ELFCLASS64   ? CopyTables<Elf64_Ehdr, Elf64_Phdr, Elf64_Shdr>()
      : width == ELFCLASS32 ? CopyTables<Elf32_Ehdr, Elf32_Phdr, Elf32_Shdr>()
                            : false;
  // The file can have changed since the first bytes were checked.
  return is_copied && std::memcmp(image_, ELFMAG, SELFMAG) == 0 &&
         image_[EI_DATA] == kByteOrder && image_[EI_CLASS] == width;
}

// Notes are read here, because libdw follows the file's numbers: it takes as
// much memory as a note says. Each is parsed only if it was copied.
std::string ElfImage::BuildIdIn(uint64_t offset, uint64_t size,
                                uint64_t* left) {
  if (size > *left || !Read(offset, size)) return "";
  *left -= size;
  Elf_Data* const data = elf_getdata_rawchunk(
      elf_, static_cast<int64_t>(offset), size, ELF_T_NHDR);
  GElf_Nhdr note;
  size_t name = 0, content = 0;
  for (size_t at = 0;
       data && (at = gelf_getnote(data, at, &note, &name, &content)) > 0;) {
    const auto* const bytes = static_cast<const char*>(data->d_buf);
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
        std::memcmp(bytes + name, "GNU", sizeof("GNU")) == 0)
      return {bytes + content, note.n_descsz};
  }
  return "";
}

// A debug file can have its notes in sections alone.
std::string ElfImage::BuildId() {
  std::string id;
  uint64_t left = kMostNoteBytes;
  size_t segments = 0;
  if (!elf_ || elf_getphdrnum(elf_, &segments) != 0) return id;
  for (size_t i = 0; i < segments && id.empty(); ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf_, static_cast<int>(i), &segment) &&
        segment.p_type == PT_NOTE)
      id = BuildIdIn(segment.p_offset, segment.p_filesz, &left);
  }
  Elf_Scn* at = nullptr;
  while (id.empty() && (at = elf_nextscn(elf_, at))) {
    GElf_Shdr section;
    if (gelf_getshdr(at, &section) && section.sh_type == SHT_NOTE)
      id = BuildIdIn(section.sh_offset, section.sh_size, &left);
  }
  return id;
}

}  // namespace pfe
