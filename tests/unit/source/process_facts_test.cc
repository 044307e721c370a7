// SPDX-License-Identifier: Apache-2.0
#include "source/process_facts.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "fake_procfs.h"
#include "no_more_files.h"
#include "no_users.h"
#include "samples.h"
#include "source/procfs_source.h"

namespace pfe {
namespace {

constexpr WantedFacts kAll{true, true, true, true};
constexpr uint64_t kStart = 5 * kSecond;

class FactsReaderTest : public testing::Test {
 protected:
  FactsReaderTest() { procfs_.Start(7, kStart); }
  std::optional<ProcessFacts> Read(const WantedFacts& wanted = kAll) {
    return reader_.Read(procfs_.root(), Live(7, kStart + 3, "x", 0), wanted);
  }
  FakeProcesses procfs_;
  FactsReader reader_;
};

TEST_F(FactsReaderTest, ReadsWhatIsWanted) {
  procfs_.SetExe(7, "/usr/bin/perl");
  procfs_.SetCmdline(7, "perl -w script");
  procfs_.Write(7, "cgroup", "0::/system.slice/a.service\n");
  const auto all = Read();
  ASSERT_TRUE(all);
  EXPECT_EQ(all->exe, "/usr/bin/perl");
  EXPECT_EQ(all->cmdline, "perl -w script");
  EXPECT_EQ(all->cgroup, "/system.slice/a.service");
  const passwd* me = getpwuid(geteuid());
  EXPECT_EQ(all->user, me ? me->pw_name : std::to_string(geteuid()));
  const auto one = Read({false, true, false, false});
  ASSERT_TRUE(one);
  EXPECT_EQ(one->cmdline, "perl -w script");
  EXPECT_EQ(one->exe + one->user + one->cgroup, "");
}

TEST_F(FactsReaderTest, WhatIsNotThereIsEmpty) {
  const auto facts = Read();
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->exe + facts->cmdline + facts->cgroup, "");
}

TEST_F(FactsReaderTest, SaysWhatCannotBeRead) {
  {
    const NoMoreFiles none;
    EXPECT_FALSE(Read());
  }
  EXPECT_EQ(reader_.error(),
            "processes cannot be looked at: /proc/PID/: Too many open files");
  EXPECT_TRUE(reader_.may_end());
  EXPECT_TRUE(Read());
  EXPECT_EQ(reader_.error(), "");
  std::filesystem::create_symlink("cgroup", procfs_.root() + "/7/cgroup");
  EXPECT_FALSE(Read());
  EXPECT_EQ(reader_.error(),
            "processes cannot be looked at: /proc/PID/cgroup: Too many levels "
            "of symbolic links");
  EXPECT_TRUE(Read({false, true, true, false})) << "it is not wanted";
  procfs_.Remove(7);
  EXPECT_FALSE(Read());
  EXPECT_EQ(reader_.error(), "") << "the process is gone";
  EXPECT_FALSE(reader_.may_end());
}

TEST_F(FactsReaderTest, ADeletedProgramKeepsItsPath) {
  procfs_.SetExe(7, "/usr/bin/perl (deleted)");
  EXPECT_EQ(Read()->exe, "/usr/bin/perl");
}

TEST_F(FactsReaderTest, CommandLinesAreBoundedAndValid) {
  procfs_.SetCmdline(7, std::string(10000, 'a'));
  EXPECT_EQ(Read()->cmdline, std::string(4096, 'a'));
  procfs_.SetCmdline(7, std::string(4095, 'a') + "\u00e9");
  EXPECT_EQ(Read()->cmdline, std::string(4095, 'a')) << "half a character";
  procfs_.SetCmdline(7, std::string(4094, 'a') + "\u00e9b");
  EXPECT_EQ(Read()->cmdline, std::string(4094, 'a') + "\u00e9");
  procfs_.Write(7, "cmdline", "a\xc3");
  EXPECT_EQ(Read()->cmdline, "a\ufffd") << "it is not cut";
  procfs_.Write(7, "cmdline", std::string("title\0\0\0\0", 9));
  EXPECT_EQ(Read()->cmdline, "title");
  procfs_.Write(7, "cmdline", std::string("a\0\0b\xff\0", 6));
  EXPECT_EQ(Read()->cmdline, "a  b\ufffd");
}

TEST_F(FactsReaderTest, AUserWithoutANameIsItsNumber) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const std::string directory = procfs_.root() + "/7";
  ASSERT_EQ(chown(directory.c_str(), 3999999, 0), 0);
  EXPECT_EQ(Read()->user, "3999999");
}

TEST_F(FactsReaderTest, AUserThatCannotBeLookedUpIsLookedUpAgain) {
  const WantedFacts user{false, false, true, false};
  {
    const NoUsers none(EIO);
    EXPECT_FALSE(Read(user));
    EXPECT_FALSE(Read(user));
    EXPECT_EQ(reader_.error(), "users cannot be looked up: Input/output error");
    EXPECT_EQ(none.lookups(), 1) << "once a tick";
    reader_.Begin();
    EXPECT_FALSE(Read(user));
    EXPECT_EQ(none.lookups(), 2);
  }
  reader_.Begin();
  EXPECT_TRUE(Read(user));
  EXPECT_EQ(reader_.error(), "");
  const NoUsers none(EIO);
  reader_.Begin();
  EXPECT_TRUE(Read(user)) << "it is known";
}

TEST_F(FactsReaderTest, NoSuchUserIsNoFailure) {
  const NoUsers none(ENOENT);
  EXPECT_EQ(Read()->user, std::to_string(geteuid()));
  EXPECT_EQ(reader_.error(), "");
}

TEST_F(FactsReaderTest, SaysThatAProgramCannotBeRead) {
  const WantedFacts exe{true, false, false, false};
  procfs_.Write(7, "exe", "no link");
  EXPECT_FALSE(Read(exe));
  EXPECT_EQ(reader_.error(),
            "processes cannot be looked at: /proc/PID/exe: Invalid argument");
  EXPECT_TRUE(Read({false, true, false, false})) << "it is not wanted";
}

// A permission does not come back by itself.
TEST_F(FactsReaderTest, AProgramOfAnotherUserIsEmpty) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  std::ifstream file("/proc/1/stat");
  std::stringstream text;
  text << file.rdbuf();
  ProcessTable table;
  ASSERT_EQ(ParseProcStat(text.str(), &table), StatText::kProcess);
  ASSERT_EQ(seteuid(65534), 0);
  const auto facts =
      reader_.Read("/proc", table[0], {true, true, false, false});
  ASSERT_EQ(seteuid(0), 0);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->exe, "");
  EXPECT_NE(facts->cmdline, "");
  EXPECT_EQ(reader_.error(),
            "processes cannot be looked at: /proc/PID/exe: Permission denied");
  EXPECT_FALSE(reader_.may_end());
}

TEST_F(FactsReaderTest, AnotherProcessWithThePidIsNotRead) {
  procfs_.Start(7, kStart + kSecond);
  EXPECT_FALSE(Read());
  procfs_.Start(7, kStart, 'Z');
  EXPECT_FALSE(Read());
  procfs_.Remove(7);
  EXPECT_FALSE(Read());
}

// The kernel's own files of this process.
TEST_F(FactsReaderTest, ReadsARealProcess) {
  std::ifstream file("/proc/self/stat");
  std::stringstream text;
  text << file.rdbuf();
  ProcessTable table;
  ASSERT_EQ(ParseProcStat(text.str(), &table), StatText::kProcess);
  const auto facts = reader_.Read("/proc", table[0], kAll);
  ASSERT_TRUE(facts);
  EXPECT_TRUE(facts->exe.ends_with("unit_tests")) << facts->exe;
  EXPECT_NE(facts->cmdline.find("unit_tests"), std::string::npos);
}

TEST(CanReadExe, AsksProcessesOfOthers) {
  FakeProcesses procfs;
  EXPECT_TRUE(CanReadExe(procfs.root()));
  procfs.Start(1, kStart);
  procfs.SetExe(1, "/sbin/init");
  EXPECT_TRUE(CanReadExe(procfs.root()));
  EXPECT_TRUE(CanReadExe("/nonexistent"));
}

}  // namespace
}  // namespace pfe
