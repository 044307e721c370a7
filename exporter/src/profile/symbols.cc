// SPDX-License-Identifier: Apache-2.0
#include "profile/symbols.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

namespace pfe {
namespace {

// A file with more is not read. The largest programs have some hundred
// sections.
constexpr size_t kMostSections = 4096;
constexpr size_t kMostSegments = 256;
constexpr uint64_t kMostNoteBytes = 65536;
constexpr uint64_t kMostLinkBytes = 4096;

bool IsFunction(const GElf_Sym& symbol) {
  const unsigned type = GELF_ST_TYPE(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && symbol.st_value != 0 &&
         (type == STT_FUNC || type == STT_GNU_IFUNC);
}

}  // namespace

// libelf's view of a file. Not for longer than the file is parsed, because it
// keeps what it has read.
class Symbols::ElfFile {
 public:
  // Does not take the descriptor over.
  explicit ElfFile(int fd) {
    elf_version(EV_CURRENT);
    elf_ = elf_begin(fd, ELF_C_READ, nullptr);
    size_t sections = 0, segments = 0;
    if (elf_kind(elf_) == ELF_K_ELF && elf_getshdrnum(elf_, &sections) == 0 &&
        elf_getphdrnum(elf_, &segments) == 0 && sections <= kMostSections &&
        segments <= kMostSegments)
      return;
    elf_end(elf_);
    elf_ = nullptr;
  }
  ~ElfFile() { elf_end(elf_); }
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  bool good() const { return elf_ != nullptr; }

  std::vector<Segment> Segments() const {
    std::vector<Segment> segments;
    ForEachSegment([&segments](const GElf_Phdr& segment) {
      if (segment.p_type == PT_LOAD)
        segments.push_back(
            {segment.p_offset, segment.p_filesz, segment.p_vaddr});
    });
    return segments;
  }

  std::string BuildId() const {
    bool is_small = true;
    ForEachSegment([&is_small](const GElf_Phdr& segment) {
      is_small &=
          segment.p_type != PT_NOTE || segment.p_filesz <= kMostNoteBytes;
    });
    ForEachSection([&is_small](const GElf_Shdr& section) {
      is_small &=
          section.sh_type != SHT_NOTE || section.sh_size <= kMostNoteBytes;
    });
    const void* bytes = nullptr;
    const ssize_t size = is_small ? dwelf_elf_gnu_build_id(elf_, &bytes) : 0;
    return size > 0 ? std::string(static_cast<const char*>(bytes),
                                  static_cast<size_t>(size))
                    : "";
  }

  std::optional<GElf_Shdr> SectionOf(uint32_t type) const {
    std::optional<GElf_Shdr> found;
    ForEachSection([&](const GElf_Shdr& section) {
      if (section.sh_type == type && !found) found = section;
    });
    return found;
  }

  std::optional<GElf_Shdr> Section(size_t index) const {
    GElf_Shdr section;
    Elf_Scn* const at = elf_getscn(elf_, index);
    if (!at || !gelf_getshdr(at, &section)) return std::nullopt;
    return section;
  }

  // What a section has; null if it is larger than `limit`.
  Elf_Data* Read(const GElf_Shdr& section, Elf_Type type,
                 uint64_t limit) const {
    if (section.sh_type == SHT_NOBITS || section.sh_size > limit)
      return nullptr;
    return elf_getdata_rawchunk(elf_, static_cast<int64_t>(section.sh_offset),
                                section.sh_size, type);
  }

  // The name of the debug file; empty if there is none.
  std::string DebugLink() const {
    std::string link;
    size_t names_index = 0;
    if (elf_getshdrstrndx(elf_, &names_index) != 0) return link;
    const auto names = Section(names_index);
    const Elf_Data* const data =
        names ? Read(*names, ELF_T_BYTE, kMostTableBytes) : nullptr;
    if (!data) return link;
    const std::string_view texts(static_cast<const char*>(data->d_buf),
                                 data->d_size);
    ForEachSection([&](const GElf_Shdr& section) {
      if (section.sh_name < texts.size() &&
          texts.substr(section.sh_name)
              .starts_with(std::string_view(".gnu_debuglink\0", 15)))
        link = TextOf(section);
    });
    return link;
  }

 private:
  template <typename Use>
  void ForEachSegment(const Use& use) const {
    size_t count = 0;
    elf_getphdrnum(elf_, &count);
    for (size_t i = 0; i < count; ++i) {
      GElf_Phdr segment;
      if (gelf_getphdr(elf_, static_cast<int>(i), &segment)) use(segment);
    }
  }
  template <typename Use>
  void ForEachSection(const Use& use) const {
    Elf_Scn* at = nullptr;
    while ((at = elf_nextscn(elf_, at))) {
      GElf_Shdr section;
      if (gelf_getshdr(at, &section)) use(section);
    }
  }
  std::string TextOf(const GElf_Shdr& section) const {
    const Elf_Data* const data = Read(section, ELF_T_BYTE, kMostLinkBytes);
    if (!data) return "";
    const std::string_view text(static_cast<const char*>(data->d_buf),
                                data->d_size);
    return std::string(text.substr(0, text.find('\0')));
  }

  Elf* elf_;
};

Symbols::Symbols(int fd) : fd_(fd) {
  const ElfFile elf(fd_);
  if (!elf.good()) return;
  build_id_ = elf.BuildId();
  segments_ = elf.Segments();
}

Symbols::~Symbols() {
  if (names_fd_ >= 0 && names_fd_ != fd_) close(names_fd_);
  close(fd_);
}

// Each name is read when it is asked for: few of a table are.
bool Symbols::LoadTable(const ElfFile& elf, uint32_t type) {
  const auto table = elf.SectionOf(type);
  const auto names = table ? elf.Section(table->sh_link) : std::nullopt;
  Elf_Data* const data =
      names ? elf.Read(*table, ELF_T_SYM, kMostTableBytes) : nullptr;
  if (!data) return false;
  GElf_Sym symbol;
  for (int i = 0; gelf_getsym(data, i, &symbol); ++i)
    if (IsFunction(symbol) && symbol.st_name < names->sh_size)
      symbols_.push_back({symbol.st_value, symbol.st_size,
                          names->sh_offset + symbol.st_name,
                          GELF_ST_BIND(symbol.st_info) == STB_LOCAL});
  // Of functions at one address the last is taken: a global one, if there is
  // one.
  std::stable_sort(symbols_.begin(), symbols_.end(),
                   [](const Symbol& a, const Symbol& b) {
                     return a.address != b.address ? a.address < b.address
                                                   : a.is_local && !b.is_local;
                   });
  return !symbols_.empty();
}

bool Symbols::LoadDebugFile(int fd) {
  if (fd < 0) return false;
  const ElfFile elf(fd);
  if (elf.good() && elf.BuildId() == build_id_ && LoadTable(elf, SHT_SYMTAB)) {
    names_fd_ = fd;
    return true;
  }
  close(fd);
  return false;
}

void Symbols::Load(const DebugFiles& debug_files) {
  const ElfFile elf(fd_);
  if (!elf.good()) return;
  names_fd_ = fd_;
  if (LoadTable(elf, SHT_SYMTAB)) return;
  if (!build_id_.empty()) {
    if (LoadDebugFile(debug_files.by_build_id(build_id_))) return;
    const std::string link = elf.DebugLink();
    if (!link.empty() && LoadDebugFile(debug_files.by_name(link))) return;
  }
  LoadTable(elf, SHT_DYNSYM);
}

std::string Symbols::Name(uint64_t offset) const {
  const auto segment = std::find_if(
      segments_.begin(), segments_.end(), [offset](const Segment& one) {
        return offset >= one.offset && offset - one.offset < one.size;
      });
  if (segment == segments_.end()) return "";
  const uint64_t address = segment->address + (offset - segment->offset);
  const auto after =
      std::upper_bound(symbols_.begin(), symbols_.end(), address,
                       [](uint64_t wanted, const Symbol& symbol) {
                         return wanted < symbol.address;
                       });
  if (after == symbols_.begin()) return "";
  const Symbol& symbol = *std::prev(after);
  // A function in assembler can lack a size: then it has all up to the next
  // one.
  if (symbol.size != 0 && address - symbol.address >= symbol.size) return "";
  return ReadName(symbol.name);
}

std::string Symbols::ReadName(uint64_t at) const {
  std::array<char, kMostNameBytes> name{};
  const ssize_t size =
      pread(names_fd_, name.data(), name.size(), static_cast<off_t>(at));
  if (size <= 0) return "";
  const std::string_view text(name.data(), static_cast<size_t>(size));
  return std::string(text.substr(0, text.find('\0')));
}

}  // namespace pfe
