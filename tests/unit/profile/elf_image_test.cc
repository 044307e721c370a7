// SPDX-License-Identifier: Apache-2.0
#include "profile/elf_image.h"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "profile/symbols.h"

namespace pfe {
namespace {

// A file of memory.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& bytes)
      : fd_(memfd_create("elf", MFD_CLOEXEC)) {
    EXPECT_EQ(write(fd_, bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

std::string OwnProgram() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ElfImageTest : public testing::Test {
 protected:
  ElfImageTest() { std::memcpy(&header_, program_.data(), sizeof(header_)); }
  // Whether the program can be used with the changed header.
  bool IsGood() {
    std::memcpy(program_.data(), &header_, sizeof(header_));
    const MemoryFile file(program_);
    return ElfImage(file.fd()).elf() != nullptr;
  }

  std::string program_ = OwnProgram();
  Elf64_Ehdr header_{};
};

TEST_F(ElfImageTest, HasABuildId) {
  const MemoryFile file(program_);
  ElfImage image(file.fd());
  ASSERT_NE(image.elf(), nullptr);
  EXPECT_EQ(image.BuildId().size(), 20u);
}

// libelf takes memory for each section, whose number is then in the first one.
TEST_F(ElfImageTest, DoesNotBelieveANumberOfSectionsThatIsNotInTheHeader) {
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  header_.e_shnum = 0;
  Elf64_Shdr first{};
  first.sh_size = (int64_t{1} << 30) / sizeof(Elf64_Shdr);
  std::memcpy(program_.data() + header_.e_shoff, &first, sizeof(first));
  std::memcpy(program_.data(), &header_, sizeof(header_));
  const MemoryFile file(program_);
  ASSERT_EQ(ftruncate(file.fd(), ElfImage::kMostFileBytes), 0);
  EXPECT_EQ(ElfImage(file.fd()).elf(), nullptr);
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 100 << 10) << "kB";
}

TEST_F(ElfImageTest, HasLimits) {
  EXPECT_TRUE(IsGood());
  const Elf64_Ehdr good = header_;
  header_.e_shnum = ElfImage::kMostSections + 1;
  EXPECT_FALSE(IsGood());
  header_ = good;
  header_.e_phnum = ElfImage::kMostSegments + 1;
  EXPECT_FALSE(IsGood());
  header_ = good;
  header_.e_phnum = PN_XNUM;
  EXPECT_FALSE(IsGood());
  header_ = good;
  header_.e_shoff = UINT64_MAX - 8;
  EXPECT_FALSE(IsGood());
  header_ = good;
  header_.e_phoff = 8;
  EXPECT_FALSE(IsGood()) << "segments within the header";
  header_ = good;
  header_.e_ident[EI_DATA] = ELFDATA2MSB;
  EXPECT_FALSE(IsGood());
  header_ = good;
  header_.e_ident[EI_CLASS] = 9;
  EXPECT_FALSE(IsGood());
  header_ = good;
  header_.e_shnum = 0;
  header_.e_shoff = 0;
  EXPECT_TRUE(IsGood()) << "without sections";
  const MemoryFile empty("");
  EXPECT_EQ(ElfImage(empty.fd()).elf(), nullptr);
  const MemoryFile large(program_);
  ASSERT_EQ(ftruncate(large.fd(), ElfImage::kMostFileBytes + 1), 0);
  EXPECT_EQ(ElfImage(large.fd()).elf(), nullptr);
}

// libdw would take as much memory as the file says, for each note.
TEST_F(ElfImageTest, NotesThatAreTooLargeAreNotRead) {
  constexpr uint64_t kBytes = 600 << 20;
  auto* segment =
      reinterpret_cast<Elf64_Phdr*>(program_.data() + header_.e_phoff);
  for (int i = 0; i < header_.e_phnum; ++i)
    if (segment[i].p_type == PT_NOTE) {
      segment[i].p_filesz = kBytes;
      segment[i].p_offset |= 1;
    }
  auto* section =
      reinterpret_cast<Elf64_Shdr*>(program_.data() + header_.e_shoff);
  for (int i = 0; i < header_.e_shnum; ++i)
    if (section[i].sh_type == SHT_NOTE) {
      section[i].sh_size = kBytes;
      section[i].sh_offset |= 1;
    }
  const MemoryFile file(program_);
  ASSERT_EQ(ftruncate(file.fd(), ElfImage::kMostFileBytes), 0);
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  EXPECT_EQ(ElfImage(file.fd()).BuildId(), "");
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 100 << 10) << "kB";
}

// The file can change while it is read, but not what libelf knows of it.
TEST_F(ElfImageTest, KeepsItsHeaders) {
  const MemoryFile file(program_);
  ElfImage image(file.fd());
  ASSERT_NE(image.elf(), nullptr);
  EXPECT_FALSE(image.Read(0, 1));
  EXPECT_FALSE(image.Read(sizeof(header_) - 1, 100));
  EXPECT_FALSE(image.Read(header_.e_phoff, 1));
  EXPECT_FALSE(image.Read(header_.e_shoff - 1, 2));
  EXPECT_FALSE(image.Read(program_.size() - 1, 2)) << "not in the file";
  EXPECT_FALSE(image.Read(UINT64_MAX - 1, 100));
  EXPECT_TRUE(image.Read(header_.e_shoff - 8, 8));
  ASSERT_EQ(ftruncate(file.fd(), 4096), 0);
  EXPECT_FALSE(image.Read(header_.e_shoff - 8, 8));
  GElf_Shdr section;
  EXPECT_NE(gelf_getshdr(elf_getscn(image.elf(), 1), &section), nullptr);
}

// The tables of all files share their limit.
TEST_F(ElfImageTest, SymbolsHaveALimitTogether) {
  const Symbols::DebugFiles none = {[](const auto&) { return -1; },
                                    [](const auto&) { return -1; }};
  SymbolLimits limits;
  const size_t all = limits.bytes_left;
  const MemoryFile file(program_);
  {
    Symbols symbols(dup(file.fd()));
    symbols.Load("", none, &limits);
  }
  const size_t used = all - limits.bytes_left;
  EXPECT_GT(used, 0u);
  EXPECT_EQ(limits.left_out, 0u);
  limits.bytes_left = used - 1;
  Symbols symbols(dup(file.fd()));
  symbols.Load("", none, &limits);
  EXPECT_GT(limits.left_out, 0u);
  EXPECT_LE(limits.bytes_left, used - 1);
}

}  // namespace
}  // namespace pfe
