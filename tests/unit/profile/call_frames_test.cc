// SPDX-License-Identifier: Apache-2.0
#include "profile/call_frames.h"

#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pfe {
namespace {

using std::string_literals::operator""s;

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
constexpr char kReturnAddress = 16;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
constexpr char kReturnAddress = 30;
#endif

constexpr uint32_t kTableAt = 0x100;
constexpr uint32_t kFramesAt = 0x200;
constexpr uint32_t kCodeAt = 0x1000;  // 0x100 bytes
constexpr uint64_t kInside = kCodeAt + 8;

template <typename T>
std::string BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

std::string Sized(const std::string& content) {
  return BytesOf(static_cast<uint32_t>(content.size())) + content;
}

// A file with one function. Its addresses are its offsets.
class CallFramesTest : public testing::Test {
 protected:
  CallFramesTest() {
    std::memcpy(header_.e_ident, ELFMAG, SELFMAG);
    header_.e_ident[EI_CLASS] = ELFCLASS64;
    header_.e_ident[EI_DATA] = ELFDATA2LSB;
    header_.e_ident[EI_VERSION] = EV_CURRENT;
    header_.e_type = ET_DYN;
    header_.e_machine = kMachine;
    header_.e_version = EV_CURRENT;
    header_.e_phoff = header_.e_ehsize = sizeof(header_);
    header_.e_phentsize = sizeof(Elf64_Phdr);
    header_.e_phnum = 2;
    loaded_.p_type = PT_LOAD;
    loaded_.p_align = 0x1000;
    table_.p_type = PT_GNU_EH_FRAME;
    table_.p_offset = table_.p_vaddr = kTableAt;
  }

  std::string Common() const {
    return Sized(BytesOf(uint32_t{0}) + version_ + augmentation_ + "\0\1\x78"s +
                 return_address_ + static_cast<char>(data_.size()) + data_ +
                 common_program_);
  }
  std::string Function(uint32_t at) const {
    const uint32_t distance = distance_ ? distance_ : at + 4;
    return Sized(BytesOf(distance) + BytesOf(kCodeAt - kFramesAt - at - 8) +
                 BytesOf(uint32_t{0x100}) + "\0"s + program_);
  }
  std::string Table(uint32_t function) const {
    const auto entry = [](uint32_t code, uint32_t record) {
      return BytesOf(code - kTableAt) + BytesOf(kFramesAt + record - kTableAt);
    };
    return table_header_ + BytesOf(kFramesAt - kTableAt - 4) + BytesOf(count_) +
           entry(kCodeAt, record_ ? record_ : function) +
           entry(second_, function);
  }
  std::string File() {
    const std::string common = Common();
    const auto at = static_cast<uint32_t>(common.size());
    const std::string table = Table(at);
    std::string file(kTableAt, '\0');
    file += table;
    file.resize(kFramesAt);
    file += common + Function(at) + std::string(4, '\0');
    file.resize(std::max<size_t>(file.size(), kCodeAt + 0x200));
    loaded_.p_filesz = loaded_.p_memsz = file.size();
    table_.p_filesz = table_.p_memsz = table.size();
    std::memcpy(file.data(), &header_, sizeof(header_));
    std::memcpy(&file[sizeof(header_)], &loaded_, sizeof(loaded_));
    std::memcpy(&file[sizeof(header_) + sizeof(loaded_)], &table_,
                sizeof(table_));
    return file;
  }
  std::unique_ptr<CallFrames> Read(const std::string& build_id = "") {
    const std::string file = File();
    const int fd = memfd_create("elf", MFD_CLOEXEC);
    EXPECT_EQ(write(fd, file.data(), file.size()),
              static_cast<ssize_t>(file.size()));
    auto frames = CallFrames::Read(fd, build_id, &bytes_left_);
    close(fd);
    return frames;
  }
  bool IsSafe() {
    const auto frames = Read();
    return frames && frames->HasSafe(kInside);
  }
  bool IsSafe(const std::string& program) {
    program_ = program;
    return IsSafe();
  }

  Elf64_Ehdr header_{};
  Elf64_Phdr loaded_{}, table_{};
  uint64_t bytes_left_ = CallFrames::kMostBytes;
  std::string table_header_ = "\x01\x1b\x03\x3b";
  uint32_t count_ = 2;
  uint32_t second_ = kCodeAt + 0x100;  // of the table
  uint32_t record_ = 0;                // where the table says the function is
  char version_ = 1;
  std::string augmentation_ = "zR", data_ = "\x1b", common_program_;
  char return_address_ = kReturnAddress;
  uint32_t distance_ = 0;  // from the function to its kind, if it is wrong
  std::string program_ = "\x41\x0e\x10";
};

TEST_F(CallFramesTest, AFunctionOfACompilerIsSafe) {
  const auto frames = Read();
  ASSERT_NE(frames, nullptr);
  EXPECT_TRUE(frames->HasSafe(kCodeAt));
  EXPECT_TRUE(frames->HasSafe(kInside));
  EXPECT_FALSE(frames->HasSafe(kCodeAt - 1));
  EXPECT_EQ(frames->AddressOf(kInside), kInside);
  EXPECT_EQ(frames->AddressOf(uint64_t{1} << 40), std::nullopt);
  EXPECT_EQ(frames->begin(), 0u);
  EXPECT_EQ(frames->end(), loaded_.p_memsz);
}

// What compilers write, and what crashes libdw or takes memory or time.
TEST_F(CallFramesTest, ChecksPrograms) {
  EXPECT_TRUE(IsSafe(""));
  EXPECT_TRUE(IsSafe("\0\0\x0c\x07\x08\x90\x01\x0e\x80\x80\x02"s));
  EXPECT_TRUE(IsSafe("\x0f\x03\x77\x08\x06\x10\x10\x02\x76\x78\x2e\x10"s));
  EXPECT_TRUE(IsSafe("\x0a\x02\x08\x03\xff\xff\x0b\xc6\x04\1\2\3\4"s));
  EXPECT_FALSE(IsSafe("\x05\xff\xff\xff\x0f\x01"s));        // a register
  EXPECT_FALSE(IsSafe("\x07\x80\x01"s));                    // register 128
  EXPECT_FALSE(IsSafe("\x0e\x80\x80"s));                    // cut
  EXPECT_FALSE(IsSafe("\x0e"s + std::string(12, '\xff')));  // too long
  EXPECT_FALSE(IsSafe("\x0f\x05\x77\x08"s));                // block
  EXPECT_FALSE(IsSafe("\x02"s));
  EXPECT_FALSE(IsSafe("\x01\0\0\0\0"s));  // set_loc
  EXPECT_FALSE(IsSafe("\x3f"s));
  EXPECT_TRUE(IsSafe(std::string(256, '\x0a')));
  EXPECT_FALSE(IsSafe(std::string(257, '\x0a')));
  EXPECT_FALSE(IsSafe(std::string(CallFrames::kMostRecordBytes, '\0')));
}

TEST_F(CallFramesTest, ChecksTheKindOfTheFunction) {
  for (const auto& [text, data] :
       std::vector<std::pair<std::string, std::string>>{
           {"zRS", "\x1b"},
           {"zPLR", "\x9b\1\2\3\4\x1b\x1b"},
           {"zPLR", "\0\1\2\3\4\5\6\7\x8\x1b\x1b"s}}) {
    augmentation_ = text;
    data_ = data;
    EXPECT_TRUE(IsSafe()) << text;
  }
  for (const auto& [text, data] :
       std::vector<std::pair<std::string, std::string>>{
           {"", ""},
           {"R", "\x1b"},
           {"z", ""},
           {"zR", ""},
           {"zR", "\x0b"},
           {"zPR", "\x1b"},
           {"zPR", "\x9b\1\2\3\4"},
           {"zPR", "\x50\1\2\3\4\x1b"},
           {"zPR", "\x01\x1b"},
           {"zRx", "\x1b"},
           {"eh", ""}}) {
    augmentation_ = text;
    data_ = data;
    EXPECT_FALSE(IsSafe()) << text;
  }
}

TEST_F(CallFramesTest, ChecksWhatAKindSaysBesides) {
  common_program_ = "\x05\xff\xff\xff\x0f\x01";
  EXPECT_FALSE(IsSafe());
  common_program_ = "\x0c\x07\x08";
  EXPECT_TRUE(IsSafe());
  return_address_ = 127;
  EXPECT_FALSE(IsSafe());
  return_address_ = kReturnAddress;
  version_ = 4;
  EXPECT_FALSE(IsSafe());
}

TEST_F(CallFramesTest, ChecksOffsets) {
  for (const uint32_t distance :
       {uint32_t{1}, uint32_t{4}, uint32_t{1} << 31, UINT32_MAX}) {
    distance_ = distance;
    EXPECT_FALSE(IsSafe()) << distance;
  }
  distance_ = 0;
  for (const uint32_t record :
       {uint32_t{1}, uint32_t{0xfff}, uint32_t{1} << 30, UINT32_MAX - 1}) {
    record_ = record;
    EXPECT_FALSE(IsSafe()) << record;
  }
}

// libdw would search in another order, or each record for itself.
TEST_F(CallFramesTest, TheTableMustBeSortedAndOfTheKnownFormat) {
  second_ = kCodeAt;
  EXPECT_EQ(Read(), nullptr);
  second_ = kCodeAt - 1;
  EXPECT_EQ(Read(), nullptr);
  second_ = kCodeAt + 1;
  EXPECT_NE(Read(), nullptr);
  for (const uint32_t count : {uint32_t{0}, uint32_t{3}, UINT32_MAX}) {
    count_ = count;
    EXPECT_EQ(Read(), nullptr) << count;
  }
  count_ = 2;
  for (const char* const header :
       {"\x02\x1b\x03\x3b", "\x01\x1b\x03\xff", "\x01\x1b\xff\x3b",
        "\x01\x03\x03\x3b", "\x01\x1b\x03\x33"}) {
    table_header_ = header;
    EXPECT_EQ(Read(), nullptr);
  }
}

TEST_F(CallFramesTest, OnlyFilesOfThisMachineAreRead) {
  header_.e_machine = EM_386;
  EXPECT_EQ(Read(), nullptr);
  header_.e_machine = kMachine;
  header_.e_type = ET_REL;
  EXPECT_EQ(Read(), nullptr);
  header_.e_type = ET_EXEC;
  EXPECT_NE(Read(), nullptr);
  EXPECT_EQ(Read("another"), nullptr);
}

TEST_F(CallFramesTest, CopiesNoMoreThanMayBeLeft) {
  ASSERT_NE(Read(), nullptr);
  const uint64_t taken = CallFrames::kMostBytes - bytes_left_;
  EXPECT_GT(taken, 0u);
  EXPECT_LT(taken, 2 * loaded_.p_filesz);
  bytes_left_ = taken - 1;
  EXPECT_EQ(Read(), nullptr);
  EXPECT_EQ(bytes_left_, taken - 1);
}

TEST_F(CallFramesTest, ATableThatIsNotInTheFileIsNotRead) {
  for (const uint64_t offset : {uint64_t{0x2000}, UINT64_MAX - 8}) {
    table_.p_offset = offset;
    EXPECT_EQ(Read(), nullptr) << offset;
  }
}

}  // namespace
}  // namespace pfe
