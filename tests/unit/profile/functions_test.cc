// SPDX-License-Identifier: Apache-2.0
#include "profile/functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "fake_procfs.h"
#include "profile/address_spaces.h"

namespace pfe {
namespace {

namespace fs = std::filesystem;

bool Never() { return false; }

}  // namespace

// With a name that the test knows.
[[gnu::noinline, gnu::used]] void ANamedFunction() { asm volatile(""); }

namespace {

class FunctionsTest : public testing::Test {
 protected:
  // The mapping and the offset of a function of this program.
  void SetUp() override {
    const auto pid = static_cast<uint32_t>(getpid());
    AddressSpaces spaces("/proc");
    uint64_t start = 0;
    const auto address = reinterpret_cast<uint64_t>(&ANamedFunction);
    const Mapping* mapping = spaces.Find(pid, pid, address, &start);
    ASSERT_NE(mapping, nullptr);
    mapping_ = *mapping;
    offset_ = address - start + mapping->offset;
  }
  static std::string Name(Functions* functions, uint32_t pid,
                          const Mapping& mapping, uint64_t offset) {
    CodeFile* const file = functions->Open(pid, mapping);
    return file ? functions->Name(file, offset, Never) : "";
  }
  std::string NameIn7(const Mapping& mapping) const {
    Functions functions(procfs_.root());
    return Name(&functions, 7, mapping, offset_);
  }
  // A process whose root directory is `root`.
  void Start(uint32_t pid, const std::string& root) {
    procfs_.Start(pid, 1);
    std::ifstream mounts("/proc/self/mountinfo");
    const std::string text{std::istreambuf_iterator<char>(mounts), {}};
    procfs_.Write(pid, "mountinfo", text);
    if (pid != 1 && !fs::exists(procfs_.root() + "/1")) {
      procfs_.Start(1, 1);
      procfs_.Write(1, "mountinfo", text);
    }
    fs::create_directory_symlink(
        root, procfs_.root() + "/" + std::to_string(pid) + "/root");
  }

  FakeProcesses procfs_;
  Mapping mapping_;
  uint64_t offset_ = 0;
};

TEST_F(FunctionsTest, NamesAFunction) {
  Functions functions("/proc");
  const auto pid = static_cast<uint32_t>(getpid());
  EXPECT_EQ(Name(&functions, pid, mapping_, offset_), "pfe::ANamedFunction()");
  EXPECT_EQ(Name(&functions, pid, mapping_, offset_), "pfe::ANamedFunction()");
  EXPECT_EQ(Name(&functions, pid, mapping_, uint64_t{1} << 40), "");
}

// A file with the same path on the host is another one.
TEST_F(FunctionsTest, TheFileIsThatOfTheProcessesRoot) {
  const std::string root = procfs_.root() + "/root";
  fs::create_directories(root + fs::path(mapping_.name).parent_path().string());
  Start(7, root);
  mapping_.file.inode += 1;
  EXPECT_EQ(NameIn7(mapping_), "");
  fs::copy_file(mapping_.name, root + mapping_.name);
  EXPECT_EQ(NameIn7(mapping_), "pfe::ANamedFunction()");
}

TEST_F(FunctionsTest, ALinkDoesNotLeadOutOfTheRoot) {
  const std::string root = procfs_.root() + "/root";
  fs::create_directory(root);
  fs::create_symlink(mapping_.name, root + "/program");
  Start(7, root);
  Mapping mapping = mapping_;
  mapping.name = "/program";
  EXPECT_EQ(NameIn7(mapping), "");
}

TEST_F(FunctionsTest, OfAProcessThatIsGoneTheFileIsTheSameOrNone) {
  EXPECT_EQ(NameIn7(mapping_), "pfe::ANamedFunction()")
      << "by device and inode number";
  Mapping mapping = mapping_;
  mapping.file.inode += 1;
  EXPECT_EQ(NameIn7(mapping), "");
  mapping.file.inode = 0;
  EXPECT_EQ(NameIn7(mapping), "");
  mapping.file.build_id = "another";
  EXPECT_EQ(NameIn7(mapping), "");
}

TEST_F(FunctionsTest, WhatIsNoProgramHasNoFunctions) {
  const std::string root = procfs_.root() + "/root";
  fs::create_directories(root + "/directory");
  std::ofstream(root + "/text") << "no program";
  std::ofstream(root + "/empty") << "";
  mkfifo((root + "/pipe").c_str(), 0600);
  std::ifstream program(mapping_.name, std::ios::binary);
  std::string head(2000, '\0');
  program.read(head.data(), 2000);
  std::ofstream(root + "/cut", std::ios::binary) << head;
  Start(7, root);
  for (const char* name : {"/directory", "/text", "/empty", "/pipe", "/cut",
                           "/none", "[heap]", ""}) {
    Mapping mapping;
    mapping.name = name;
    EXPECT_EQ(NameIn7(mapping), "") << name;
  }
}

// The process has exited when its functions are named.
TEST_F(FunctionsTest, AFileThatIsOpenIsReadAfterTheProcessIsGone) {
  const std::string root = procfs_.root() + "/root";
  fs::create_directory(root);
  fs::copy_file(mapping_.name, root + "/program");
  Start(7, root);
  Mapping mapping = mapping_;
  mapping.name = "/program";
  Functions functions(procfs_.root());
  CodeFile* const file = functions.Open(7, mapping);
  ASSERT_NE(file, nullptr);
  fs::remove_all(procfs_.root() + "/7");
  fs::remove_all(root);
  EXPECT_EQ(functions.Name(file, offset_, Never), "pfe::ANamedFunction()");
}

// Of a program that runs for a moment again and again.
TEST_F(FunctionsTest, AFileThatAProcessTookWithItIsTriedAgain) {
  const std::string root = procfs_.root() + "/root";
  fs::create_directory(root);
  fs::copy_file(mapping_.name, root + "/program");
  Mapping mapping = mapping_;
  mapping.name = "/program";
  Functions functions(procfs_.root());
  EXPECT_EQ(functions.Open(7, mapping), nullptr);
  Start(8, root);
  EXPECT_NE(functions.Open(8, mapping), nullptr);
}

// Another process can cut it while it is read.
TEST_F(FunctionsTest, AFileThatIsCutHasNoFunctions) {
  const std::string root = procfs_.root() + "/root";
  fs::create_directory(root);
  fs::copy_file(mapping_.name, root + "/program");
  Start(7, root);
  Mapping mapping = mapping_;
  mapping.name = "/program";
  Functions functions(procfs_.root());
  CodeFile* const file = functions.Open(7, mapping);
  ASSERT_NE(file, nullptr);
  fs::resize_file(root + "/program", 4096);
  EXPECT_EQ(functions.Name(file, offset_, Never), "");
}

// Reading a file of sysfs can do something.
TEST_F(FunctionsTest, OnlyFilesOfADiskAreOpened) {
  Start(7, "/");
  Functions functions(procfs_.root());
  Mapping mapping;
  mapping.name = mapping_.name;
  EXPECT_NE(functions.Open(7, mapping), nullptr);
  mapping.name = "/sys/devices/system/cpu/online";
  ASSERT_TRUE(fs::is_regular_file(mapping.name));
  EXPECT_EQ(functions.Open(7, mapping), nullptr);
}

// The server of a FUSE file system can let everybody wait who looks at a file.
TEST_F(FunctionsTest, AnOverlayThatTheHostDoesNotKnowIsNotLookedAt) {
  Start(7, "/");
  std::string text;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const size_t type = line.find(" - ") + 3;
    line.replace(type, line.find(' ', type) - type, "overlay");
    text += line + "\n";
  }
  procfs_.Write(7, "mountinfo", text);
  {
    Functions functions(procfs_.root());
    mapping_.file.inode = 0;  // so that it is not that of the host
    EXPECT_EQ(functions.Open(7, mapping_), nullptr);
  }
  procfs_.Write(1, "mountinfo", text);
  Functions functions(procfs_.root());
  EXPECT_NE(functions.Open(7, mapping_), nullptr);
}

// They are open while it samples.
TEST_F(FunctionsTest, TakesAPartOfTheDescriptors) {
  const std::string root = procfs_.root() + "/root";
  fs::create_directory(root);
  Start(7, root);
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  const rlim_t usual = std::exchange(files.rlim_cur, 160);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  Functions functions(procfs_.root());
  int opened = 0;
  for (int i = 0; i < 20; ++i) {
    Mapping mapping = mapping_;
    mapping.name = "/" + std::to_string(i);
    fs::copy_file(mapping_.name, root + mapping.name);
    opened += functions.Open(7, mapping) != nullptr;
  }
  files.rlim_cur = usual;
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  EXPECT_EQ(opened, 10);
  EXPECT_EQ(functions.left_out(), 10u);
}

TEST_F(FunctionsTest, FilesThatAreNotThereTakeNoPlace) {
  Start(7, procfs_.root());
  Functions functions(procfs_.root());
  Mapping none;
  for (size_t i = 0; i < 2 * Functions::kMostFiles; ++i) {
    none.name = "/none" + std::to_string(i);
    EXPECT_EQ(functions.Open(7, none), nullptr);
  }
  EXPECT_EQ(functions.left_out(), 0u);
  EXPECT_NE(functions.Open(7, mapping_), nullptr);
}

TEST_F(FunctionsTest, WhatTakesTooLongHasNoName) {
  Functions functions("/proc");
  CodeFile* const file =
      functions.Open(static_cast<uint32_t>(getpid()), mapping_);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(functions.Name(file, offset_, [] { return true; }), "");
  EXPECT_EQ(functions.left_out(), 0u);
}

// As of a short-lived process of a container: its file is another one.
TEST_F(FunctionsTest, TheFileOfTheHostDoesNotTakeThePlaceOfAnother) {
  Mapping mapping = mapping_;
  mapping.file.build_id = "another";
  Functions functions(procfs_.root());
  EXPECT_EQ(functions.Open(7, mapping), nullptr);
}

class DebugFile : public FunctionsTest {
 protected:
  // A stripped copy of this program; its symbols are in root/x.debug.
  void SetUp() override {
    FunctionsTest::SetUp();
    root_ = procfs_.root() + "/root";
    fs::create_directories(root_ + "/bin/.debug");
    Run("objcopy --only-keep-debug " + mapping_.name + " " + root_ +
        "/x.debug");
    Run("strip -o " + root_ + "/bin/x " + mapping_.name);
    Run("objcopy --add-gnu-debuglink=" + root_ + "/x.debug " + root_ +
        "/bin/x");
    Start(7, root_);
    stripped_ = mapping_;
    stripped_.name = "/bin/x";
  }
  static void Run(const std::string& command) {
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

  std::string root_;
  Mapping stripped_;
};

TEST_F(DebugFile, IsFoundBesideTheProgram) {
  EXPECT_EQ(NameIn7(stripped_), "");
  for (const char* place :
       {"/bin/x.debug", "/bin/.debug/x.debug", "/usr/lib/debug/bin/x.debug"}) {
    fs::create_directories(fs::path(root_ + place).parent_path());
    fs::copy_file(root_ + "/x.debug", root_ + place);
    EXPECT_EQ(NameIn7(stripped_), "pfe::ANamedFunction()") << place;
    fs::remove(root_ + place);
  }
}

TEST_F(DebugFile, CanBeWhatOnlyWaits) {
  ASSERT_EQ(mkfifo((root_ + "/bin/x.debug").c_str(), 0600), 0);
  ASSERT_EQ(mkfifo((root_ + "/bin/.debug/x.debug").c_str(), 0600), 0);
  EXPECT_EQ(NameIn7(stripped_), "");
}

TEST_F(DebugFile, OfAnotherProgramIsNotTaken) {
  Run("objcopy --remove-section=.note.gnu.build-id " + root_ + "/x.debug " +
      root_ + "/bin/x.debug");
  EXPECT_EQ(NameIn7(stripped_), "");
}

// A name in which each level has three times what the level before has; the
// first one has an argument, or a pack of 200.
std::string Bomb(size_t levels, bool has_pack) {
  std::string bomb = has_pack ? "_Z1fIJ" + std::string(200, 'i') + "EEv1XIDpT_E"
                              : "_Z1fIiEv1XIT_E";
  const std::string digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (size_t i = 1; i <= levels; ++i) {
    const std::string last = "S" + digits.substr(2 * i + has_pack, 1) + "_";
    bomb.append("1YI").append(last).append(last).append(last).append("E");
  }
  return bomb;
}

TEST(Demangled, IsBounded) {
  EXPECT_EQ(Demangled("main"), "main");
  EXPECT_EQ(Demangled("_ZNSt6vectorIiSaIiEE9push_backERKi"),
            "std::vector<int, std::allocator<int> >::push_back(int const&)");
  EXPECT_THAT(Demangled(Bomb(17, false)), testing::StartsWith("_Z1f"));
  EXPECT_THAT(Demangled(Bomb(6, true)), testing::StartsWith("_Z1f"));
  EXPECT_THAT(Demangled(Bomb(5, false)), testing::StartsWith("void f<"));
  EXPECT_THAT(Demangled(Bomb(2, true)), testing::StartsWith("void f<"));
  EXPECT_EQ(Demangled(std::string(1000, 'x')),
            std::string(256, 'x') + "\xe2\x80\xa6");
}

}  // namespace
}  // namespace pfe
