// SPDX-License-Identifier: Apache-2.0
#include "profile/functions.h"

#include <gtest/gtest.h>
#include <unistd.h>

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
    const Mapping* mapping = spaces.Find(pid, address, &start);
    ASSERT_NE(mapping, nullptr);
    mapping_ = *mapping;
    offset_ = address - start + mapping->offset;
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
  EXPECT_EQ(functions.Name(pid, mapping_, offset_), "pfe::ANamedFunction()");
  EXPECT_EQ(functions.Name(pid, mapping_, offset_), "pfe::ANamedFunction()");
  EXPECT_EQ(functions.Name(pid, mapping_, uint64_t{1} << 40), "");
}

// A file with the same path on the host is another one.
TEST_F(FunctionsTest, TheFileIsThatOfTheProcessesRoot) {
  const std::string root = procfs_.root() + "/root";
  fs::create_directories(root + fs::path(mapping_.name).parent_path().string());
  Start(7, root);
  mapping_.file.inode += 1;
  EXPECT_EQ(Functions(procfs_.root()).Name(7, mapping_, offset_), "");
  fs::copy_file(mapping_.name, root + mapping_.name);
  EXPECT_EQ(Functions(procfs_.root()).Name(7, mapping_, offset_),
            "pfe::ANamedFunction()");
}

TEST_F(FunctionsTest, ALinkDoesNotLeadOutOfTheRoot) {
  const std::string root = procfs_.root() + "/root";
  fs::create_directory(root);
  fs::create_symlink(mapping_.name, root + "/program");
  Start(7, root);
  Mapping mapping = mapping_;
  mapping.name = "/program";
  Functions functions(procfs_.root());
  EXPECT_EQ(functions.Name(7, mapping, offset_), "");
}

TEST_F(FunctionsTest, OfAProcessThatIsGoneTheFileIsTheSameOrNone) {
  const auto name = [this](const Mapping& mapping) {
    return Functions(procfs_.root()).Name(7, mapping, offset_);
  };
  EXPECT_EQ(name(mapping_), "pfe::ANamedFunction()")
      << "by device and inode number";
  Mapping mapping = mapping_;
  mapping.file.inode += 1;
  EXPECT_EQ(name(mapping), "");
  mapping.file.inode = 0;
  EXPECT_EQ(name(mapping), "");
  mapping.file.build_id = "another";
  EXPECT_EQ(name(mapping), "");
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
  Functions functions(procfs_.root());
  for (const char* name : {"/directory", "/text", "/empty", "/pipe", "/cut",
                           "/none", "[heap]", ""}) {
    Mapping mapping;
    mapping.name = name;
    EXPECT_EQ(functions.Name(7, mapping, offset_), "") << name;
  }
}

}  // namespace
}  // namespace pfe
