// SPDX-License-Identifier: Apache-2.0
#include "profile/symbols.h"

#include <gelf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "profile/elf_image.h"

namespace pfe {
namespace {

constexpr uint64_t kMostNamesBytes = 1 << 20;  // of sections
constexpr uint64_t kMostLinkBytes = 4096;
// So often it is looked at whether it is over.
constexpr int kSymbolsBetweenLooks = 65536;

bool IsFunction(const GElf_Sym& symbol) {
  const unsigned type = GELF_ST_TYPE(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && symbol.st_value != 0 &&
         (type == STT_FUNC || type == STT_GNU_IFUNC);
}

template <typename Use>
void ForEachSection(Elf* elf, const Use& use) {
  Elf_Scn* at = nullptr;
  while ((at = elf_nextscn(elf, at))) {
    GElf_Shdr section;
    if (gelf_getshdr(at, &section)) use(section);
  }
}

std::optional<GElf_Shdr> SectionAt(Elf* elf, size_t index) {
  GElf_Shdr section;
  Elf_Scn* const at = elf_getscn(elf, index);
  if (!at || !gelf_getshdr(at, &section)) return std::nullopt;
  return section;
}

// What a section has; null if it is larger than `limit` or not in the file.
Elf_Data* ReadSection(ElfImage* image, const GElf_Shdr& section, Elf_Type type,
                      uint64_t limit) {
  if (section.sh_type == SHT_NOBITS || section.sh_size > limit ||
      !image->Read(section.sh_offset, section.sh_size))
    return nullptr;
  return elf_getdata_rawchunk(image->elf(),
                              static_cast<int64_t>(section.sh_offset),
                              section.sh_size, type);
}

std::string_view TextOf(const Elf_Data* data) {
  return data ? std::string_view(static_cast<const char*>(data->d_buf),
                                 data->d_size)
              : std::string_view();
}

// The name of the debug file; empty if there is none.
std::string DebugLink(ElfImage* image) {
  size_t names_index = 0;
  if (elf_getshdrstrndx(image->elf(), &names_index) != 0) return "";
  const auto names = SectionAt(image->elf(), names_index);
  if (!names) return "";
  const std::string_view texts =
      TextOf(ReadSection(image, *names, ELF_T_BYTE, kMostNamesBytes));
  std::optional<GElf_Shdr> link;
  ForEachSection(image->elf(), [&](const GElf_Shdr& section) {
    if (section.sh_name < texts.size() &&
        texts.substr(section.sh_name)
            .starts_with(std::string_view(".gnu_debuglink\0", 15)))
      link = section;
  });
  if (!link) return "";
  const std::string_view text =
      TextOf(ReadSection(image, *link, ELF_T_BYTE, kMostLinkBytes));
  return std::string(text.substr(0, text.find('\0')));
}

}  // namespace

Symbols::~Symbols() {
  if (names_fd_ >= 0 && names_fd_ != fd_) close(names_fd_);
  close(fd_);
}

// Returns false if it is over.
bool Symbols::TakeFunctions(Elf_Data* data, uint64_t names_size,
                            SymbolLimits* limits) {
  GElf_Sym symbol;
  for (int i = 0; gelf_getsym(data, i, &symbol); ++i) {
    if (i % kSymbolsBetweenLooks == 0 && limits->is_over()) return false;
    if (!IsFunction(symbol) || symbol.st_name >= names_size) continue;
    if (limits->bytes_left < sizeof(Symbol)) return false;
    limits->bytes_left -= sizeof(Symbol);
    symbols_.push_back({symbol.st_value, symbol.st_size & (UINT64_MAX >> 1),
                        GELF_ST_BIND(symbol.st_info) == STB_LOCAL,
                        symbol.st_name});
  }
  return true;
}

// Each name is read when it is asked for: few of a table are.
bool Symbols::LoadTable(ElfImage* image, uint32_t type, SymbolLimits* limits) {
  std::optional<GElf_Shdr> table;
  ForEachSection(image->elf(), [&](const GElf_Shdr& section) {
    if (section.sh_type == type && !table) table = section;
  });
  const auto names =
      table ? SectionAt(image->elf(), table->sh_link) : std::nullopt;
  if (!names || table->sh_size == 0) return false;
  Elf_Data* const data =
      limits->is_over()
          ? nullptr
          : ReadSection(image, *table, ELF_T_SYM, kMostTableBytes);
  if (!data || !TakeFunctions(data, names->sh_size, limits)) {
    if (!limits->is_over()) ++limits->left_out;
    limits->bytes_left += symbols_.size() * sizeof(Symbol);
    symbols_.clear();
  }
  symbols_.shrink_to_fit();
  names_at_ = names->sh_offset;
  // Of functions at one address the last is taken: a global one, if there is
  // one.
  std::sort(symbols_.begin(), symbols_.end(),
            [](const Symbol& a, const Symbol& b) {
              if (a.address != b.address) return a.address < b.address;
              if (a.is_local != b.is_local) return a.is_local > b.is_local;
              return a.name < b.name;
            });
  return !symbols_.empty();
}

bool Symbols::LoadDebugFile(int fd, const std::string& build_id,
                            SymbolLimits* limits) {
  if (fd < 0) return false;
  ElfImage image(fd);
  if (image.elf() && image.BuildId() == build_id &&
      LoadTable(&image, SHT_SYMTAB, limits)) {
    names_fd_ = fd;
    return true;
  }
  close(fd);
  return false;
}

void Symbols::Load(const std::string& build_id, const DebugFiles& debug_files,
                   SymbolLimits* limits) {
  ElfImage image(fd_);
  if (!image.elf()) return;
  build_id_ = image.BuildId();
  if (!build_id.empty() && build_id_ != build_id) return;
  size_t count = 0;
  elf_getphdrnum(image.elf(), &count);
  for (size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(image.elf(), static_cast<int>(i), &segment) &&
        segment.p_type == PT_LOAD)
      segments_.push_back(
          {segment.p_offset, segment.p_filesz, segment.p_vaddr});
  }
  names_fd_ = fd_;
  if (LoadTable(&image, SHT_SYMTAB, limits)) return;
  if (!build_id_.empty()) {
    if (LoadDebugFile(debug_files.by_build_id(build_id_), build_id_, limits))
      return;
    const std::string link = DebugLink(&image);
    if (!link.empty() &&
        LoadDebugFile(debug_files.by_name(link), build_id_, limits))
      return;
  }
  LoadTable(&image, SHT_DYNSYM, limits);
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
  return ReadName(names_at_ + symbol.name);
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
