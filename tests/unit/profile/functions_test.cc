// SPDX-License-Identifier: Apache-2.0
#include "profile/functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fake_procfs.h"
#include "profile/address_spaces.h"

namespace pfe {
namespace {

namespace fs = std::filesystem;

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
    return file ? functions->Name(file, offset) : "";
  }
  std::string NameIn7(const Mapping& mapping) const {
    Functions functions(procfs_.root());
    return Name(&functions, 7, mapping, offset_);
  }
  // A process whose root directory is `root`.
  void Start(uint32_t pid, const std::string& root) {
    procfs_.Start(pid, 1);
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
  EXPECT_EQ(functions.Name(file, offset_), "pfe::ANamedFunction()");
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
  EXPECT_EQ(functions.Name(file, offset_), "");
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

TEST(Demangled, IsBounded) {
  EXPECT_EQ(Demangled("main"), "main");
  EXPECT_EQ(Demangled("_ZNSt6vectorIiSaIiEE9push_backERKi"),
            "std::vector<int, std::allocator<int> >::push_back(int const&)");
  // Each level doubles what it stands for.
  std::string bomb = "_Z1f1PIiiES_IS0_S0_E";
  const std::string digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (size_t i = 1; i < 34; ++i)
    bomb += "S_IS" + digits.substr(i, 1) + "_S" + digits.substr(i, 1) + "_E";
  EXPECT_THAT(Demangled(bomb), testing::StartsWith("_Z1f1PIiiE"));
  EXPECT_EQ(Demangled(std::string(1000, 'x')),
            std::string(256, 'x') + "\xe2\x80\xa6");
}

}  // namespace
}  // namespace pfe
