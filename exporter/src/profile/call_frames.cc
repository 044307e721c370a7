// SPDX-License-Identifier: Apache-2.0
// The formats are those of the Linux Standard Base ("Exception Frames") and of
// DWARF ("Call Frame Information").
#include "profile/call_frames.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace pfe {
namespace {

#if defined(__x86_64__)
constexpr unsigned kMachine = EM_X86_64;
constexpr uint8_t kReturnAddress = 16;  // the DWARF number of its register
#elif defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
constexpr uint8_t kReturnAddress = 30;
#endif

// The only table that linkers write: version 1, the address of .eh_frame
// relative to its place, a number of four bytes, and a table of entries of
// twice four bytes, relative to the header.
constexpr std::string_view kTableHeader("\x01\x1b\x03\x3b", 4);
constexpr size_t kTableAt = 12;  // behind the header
constexpr size_t kEntryBytes = 8;
constexpr size_t kSizeBytes = 4;  // before a record: its size
// Four bytes, relative to their place.
constexpr uint8_t kRelative = 0x1b;

// Of each remembered state libdw makes a copy.
constexpr int kMostRemembered = 256;
constexpr uint8_t kRememberState = 0x0a;

// What follows an instruction: numbers of registers (r), other numbers (u),
// blocks with their sizes (b), or so many bytes (1, 2, 4). Null: it is not
// known, or no compiler writes it.
constexpr std::array<const char*, 0x40> kOperands = {
    "",       // nop
    nullptr,  // set_loc
    "1",      // advance_loc1
    "2",      // advance_loc2
    "4",      // advance_loc4
    "ru",     // offset_extended
    "r",      // restore_extended
    "r",      // undefined
    "r",      // same_value
    "rr",     // register
    "",       // remember_state
    "",       // restore_state
    "ru",     // def_cfa
    "r",      // def_cfa_register
    "u",      // def_cfa_offset
    "b",      // def_cfa_expression
    "rb",     // expression
    "ru",     // offset_extended_sf
    "ru",     // def_cfa_sf
    "u",      // def_cfa_offset_sf
    "ru",     // val_offset
    "ru",     // val_offset_sf
    "rb",     // val_expression
    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
    "",    // AARCH64_negate_ra_state
    "u",   // GNU_args_size
    "ru",  // GNU_negative_offset_extended
};

template <typename T>
T ValueAt(std::string_view bytes, size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

// Takes the parts of a record from its front. Behind the end it is not good()
// any more.
class Parts {
 public:
  explicit Parts(std::string_view bytes) : bytes_(bytes) {}

  std::string_view TakeBytes(uint64_t size) {
    if (size > bytes_.size()) {
      good_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  uint8_t TakeByte() {
    const std::string_view taken = TakeBytes(1);
    return taken.empty() ? 0 : static_cast<uint8_t>(taken[0]);
  }
  // A LEB128 number; a negative one is any number.
  uint64_t TakeNumber() {
    uint64_t number = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = TakeByte();
      number |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return number;
    }
    good_ = false;
    return 0;
  }
  // Registers have small numbers, and no compiler makes these longer.
  void TakeRegister() { good_ &= TakeByte() < 0x80; }
  // A text with its end.
  std::string_view TakeText() {
    const size_t size = bytes_.find('\0');
    const std::string_view text =
        TakeBytes(size == bytes_.npos ? size : size + 1);
    return text.substr(0, size);
  }
  bool good() const { return good_; }
  bool empty() const { return bytes_.empty(); }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

void TakeOperand(char kind, Parts* parts) {
  switch (kind) {
    case 'r':
      parts->TakeRegister();
      break;
    case 'u':
      parts->TakeNumber();
      break;
    case 'b':
      parts->TakeBytes(parts->TakeNumber());
      break;
    default:
      parts->TakeBytes(static_cast<uint64_t>(kind - '0'));
  }
}

// The operands of an instruction, of which the upper bits can be the whole one:
// advance_loc, offset and restore.
const char* OperandsOf(uint8_t instruction) {
  switch (instruction >> 6) {
    case 0:
      return kOperands[instruction];
    case 2:
      return "u";
    default:
      return "";
  }
}

bool IsSafeProgram(std::string_view bytes) {
  Parts parts(bytes);
  int remembered = 0;
  while (parts.good() && !parts.empty()) {
    const uint8_t instruction = parts.TakeByte();
    const char* kinds = OperandsOf(instruction);
    if (!kinds) return false;
    if (instruction == kRememberState && ++remembered > kMostRemembered)
      return false;
    for (; *kinds; ++kinds) TakeOperand(*kinds, &parts);
  }
  return parts.good();
}

// The bytes of a pointer; 0 if its size is not fixed.
uint64_t PointerBytes(uint8_t encoding) {
  if ((encoding & 0x70) > 0x10) return 0;  // neither absolute nor relative
  switch (encoding & 0xf) {
    case 0x3:
    case 0xb:
      return 4;
    case 0x0:
    case 0x4:
    case 0xc:
      return 8;
    default:
      return 0;
  }
}

// Whether the data of a common record are what its text says: a size (z), the
// encoding of addresses (R), a personality routine (P), the encoding of a
// pointer of the language (L), or a mark without data (S, B).
bool IsSafeAugmentation(std::string_view text, std::string_view bytes) {
  if (!text.starts_with('z')) return false;
  Parts parts(bytes);
  bool is_relative = false;
  for (const char c : text.substr(1)) {
    if (c == 'R') {
      is_relative = parts.TakeByte() == kRelative;
    } else if (c == 'L') {
      parts.TakeByte();
    } else if (c == 'P') {
      const uint64_t size = PointerBytes(parts.TakeByte());
      if (size == 0) return false;
      parts.TakeBytes(size);
    } else if (c != 'S' && c != 'B') {
      return false;
    }
  }
  return parts.good() && is_relative;
}

}  // namespace

std::unique_ptr<CallFrames> CallFrames::Read(int fd,
                                             const std::string& build_id,
                                             uint64_t* bytes_left) {
  std::unique_ptr<CallFrames> frames(new CallFrames(fd));
  if (!frames->Load(build_id, bytes_left)) return nullptr;
  return frames;
}

bool CallFrames::Load(const std::string& build_id, uint64_t* bytes_left) {
  GElf_Ehdr header;
  return elf() && gelf_getclass(elf()) == ELFCLASS64 &&
         gelf_getehdr(elf(), &header) && header.e_machine == kMachine &&
         (header.e_type == ET_DYN || header.e_type == ET_EXEC) &&
         (build_id.empty() || image_.BuildId() == build_id) && ReadSegments() &&
         Copy(bytes_left) && CheckTable();
}

bool CallFrames::ReadSegments() {
  size_t count = 0;
  elf_getphdrnum(elf(), &count);
  for (size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (!gelf_getphdr(elf(), static_cast<int>(i), &segment)) return false;
    if (segment.p_type == PT_LOAD) segments_.push_back(segment);
    if (segment.p_type == PT_GNU_EH_FRAME && table_segment_.p_filesz == 0)
      table_segment_ = segment;
  }
  if (segments_.empty() || table_segment_.p_filesz < kTableAt) return false;
  begin_ = segments_.front().p_vaddr & -segments_.front().p_align;
  end_ = segments_.back().p_vaddr + segments_.back().p_memsz;
  return begin_ < end_;
}

// Where .eh_frame ends its segment does not say: so its rest is copied.
bool CallFrames::Copy(uint64_t* bytes_left) {
  const GElf_Phdr& table = table_segment_;
  if (table.p_filesz > *bytes_left ||
      !image_.Read(table.p_offset, table.p_filesz))
    return false;
  size_t file_size = 0;
  const char* const file = elf_rawfile(elf(), &file_size);
  table_ = {file + table.p_offset, table.p_filesz};
  frames_address_ = table.p_vaddr + FramesFromTable();
  const uint64_t offset = table.p_offset + FramesFromTable();
  const auto segment = std::find_if(
      segments_.begin(), segments_.end(), [offset](const GElf_Phdr& one) {
        return offset >= one.p_offset && offset - one.p_offset < one.p_filesz;
      });
  if (segment == segments_.end()) return false;
  const uint64_t size = segment->p_filesz - (offset - segment->p_offset);
  if (size > *bytes_left - table.p_filesz || !image_.Read(offset, size))
    return false;
  frames_ = {file + offset, size};
  *bytes_left -= table.p_filesz + size;
  return true;
}

// The table has to be sorted, so that libdw finds what HasSafe() finds. All is
// checked of the copy: the file can have changed since its parts were read.
bool CallFrames::CheckTable() {
  if (!table_.starts_with(kTableHeader) ||
      table_segment_.p_vaddr + FramesFromTable() != frames_address_)
    return false;
  functions_ = ValueAt<uint32_t>(table_, 8);
  if (functions_ == 0 || functions_ > (table_.size() - kTableAt) / kEntryBytes)
    return false;
  for (size_t i = 1; i < functions_; ++i)
    if (FunctionAt(i) <= FunctionAt(i - 1)) return false;
  return true;
}

// How far .eh_frame is behind its table.
uint64_t CallFrames::FramesFromTable() const {
  return 4 + static_cast<uint64_t>(int64_t{ValueAt<int32_t>(table_, 4)});
}

uint64_t CallFrames::TableValue(size_t at) const {
  return table_segment_.p_vaddr +
         static_cast<uint64_t>(int64_t{ValueAt<int32_t>(table_, at)});
}

uint64_t CallFrames::FunctionAt(size_t index) const {
  return TableValue(kTableAt + index * kEntryBytes);
}

uint64_t CallFrames::RecordOf(size_t index) const {
  return TableValue(kTableAt + index * kEntryBytes + 4) - frames_address_;
}

std::optional<uint64_t> CallFrames::AddressOf(uint64_t offset) const {
  for (const GElf_Phdr& segment : segments_)
    if (offset >= segment.p_offset &&
        offset - segment.p_offset < segment.p_filesz)
      return segment.p_vaddr + (offset - segment.p_offset);
  return std::nullopt;
}

bool CallFrames::HasSafe(uint64_t address) const {
  size_t first = 0, last = functions_;  // the first one behind the address
  while (first < last) {
    const size_t middle = (first + last) / 2;
    if (FunctionAt(middle) <= address)
      first = middle + 1;
    else
      last = middle;
  }
  return first > 0 && IsSafeFunction(RecordOf(first - 1));
}

std::string_view CallFrames::RecordAt(uint64_t offset) const {
  if (offset >= frames_.size() || frames_.size() - offset < kSizeBytes)
    return {};
  const auto size = ValueAt<uint32_t>(frames_, offset);
  if (size > kMostRecordBytes || size > frames_.size() - offset - kSizeBytes)
    return {};
  return frames_.substr(offset + kSizeBytes, size);
}

// The record of a function: where that of its kind is, the function's address
// and size, data of the language, and a program.
bool CallFrames::IsSafeFunction(uint64_t offset) const {
  Parts parts(RecordAt(offset));
  const std::string_view back = parts.TakeBytes(sizeof(uint32_t));
  if (back.empty()) return false;
  const uint64_t distance = ValueAt<uint32_t>(back, 0);
  const uint64_t place = offset + kSizeBytes;
  if (distance == 0 || distance > place || !IsSafeCommon(place - distance))
    return false;
  parts.TakeBytes(8);
  parts.TakeBytes(parts.TakeNumber());
  return parts.good() && IsSafeProgram(parts.rest());
}

// The record of a kind of functions: zero, the version, the text of the
// augmentation, two factors, the register of the return address, the data of
// the augmentation, and a program.
bool CallFrames::IsSafeCommon(uint64_t offset) const {
  Parts parts(RecordAt(offset));
  const std::string_view zero = parts.TakeBytes(sizeof(uint32_t));
  if (zero.empty() || ValueAt<uint32_t>(zero, 0) != 0 || parts.TakeByte() != 1)
    return false;
  const std::string_view augmentation = parts.TakeText();
  parts.TakeNumber();
  parts.TakeNumber();
  if (parts.TakeByte() != kReturnAddress) return false;
  const std::string_view data = parts.TakeBytes(parts.TakeNumber());
  return parts.good() && IsSafeAugmentation(augmentation, data) &&
         IsSafeProgram(parts.rest());
}

Elf* CallFrames::NewElf() const {
  size_t size = 0;
  char* const file = elf_rawfile(elf(), &size);
  return elf_memory(file, size);
}

}  // namespace pfe
