// SPDX-License-Identifier: Apache-2.0
#include "source/procfs_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "samples.h"
#include "source/auto_source.h"
#include "source/module_source.h"

namespace pfe {
namespace {

constexpr const char* kStat =
    " S 1 2 3 0 -1 4194560 777 0 8 0 5 6 0 0 20 0 1 0 12345 8192000 250 "
    "18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0\n";

TEST(ParseProcStat, TakesItsFields) {
  ProcessTable table;
  ASSERT_TRUE(ParseProcStat(std::string("42 (a) b (c)") + kStat, &table));
  const Process* const process = &table[0];
  EXPECT_EQ(process->pid, 42u);
  EXPECT_EQ(table.comm(*process), "a) b (c");
  EXPECT_TRUE(process->live);
  EXPECT_EQ(process->minor, 777u);
  EXPECT_EQ(process->major, 8u);
  EXPECT_EQ(process->faults, 785u);
  EXPECT_EQ(process->vma_kb, 8000u);
  EXPECT_EQ(process->rss_kb,
            250u * static_cast<uint64_t>(getpagesize()) / 1024);
  EXPECT_EQ(process->start_ns, 123450000000u);
}

TEST(ParseProcStat, RefusesWhatIsNone) {
  for (const std::string& text :
       {std::string(), std::string("42"), std::string("42 (a)"),
        std::string("x (a)") + kStat, std::string("42 (a) S 1 2"),
        std::string("42 (a") + kStat, std::string("42 (a) S x"),
        std::string("42 () S x"), std::string("42 () ")}) {
    ProcessTable table;
    EXPECT_FALSE(ParseProcStat(text, &table)) << text;
    EXPECT_TRUE(table.empty());
  }
}

TEST(ParseProcStat, LeavesKernelThreadsOutAndKnowsZombies) {
  std::string text = std::string("2 (kthreadd)") + kStat;
  text.replace(text.find("4194560"), 7, "2129984");
  ProcessTable table;
  EXPECT_FALSE(ParseProcStat(text, &table));
  text = std::string("3 (dead)") + kStat;
  text.replace(text.find(" S "), 3, " Z ");
  ASSERT_TRUE(ParseProcStat(text, &table));
  EXPECT_FALSE(table[0].live);
}

TEST(ParseProcStat, ALeaderThatExitedIsNotTheEndOfItsProcess) {
  std::string text = std::string("3 (threads)") + kStat;
  text.replace(text.find(" S "), 3, " Z ");
  // The fields 18 to 21: priority, nice, num_threads, itrealvalue.
  ASSERT_NE(text.find(" 20 0 1 0 "), std::string::npos);
  text.replace(text.find(" 20 0 1 0 "), 10, " 20 0 2 0 ");
  ProcessTable table;
  ASSERT_TRUE(ParseProcStat(text, &table));
  EXPECT_TRUE(table[0].live);
}

TEST(ProcfsSource, ReadsThisProcess) {
  void* memory = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  ProcfsSource source("/proc");
  const auto result = ReadOf(&source);
  munmap(memory, 1 << 20);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result.value().source, "procfs");
  for (const Process& process : result.value().processes)
    if (process.pid == static_cast<uint32_t>(getpid())) {
      EXPECT_EQ(result.value().processes.comm(process), "unit_tests");
      EXPECT_GT(process.faults, 0u);
      EXPECT_GE(process.rss_kb, 1024u);
      EXPECT_LT(process.start_ns, BootTimeNs());
      return;
    }
  FAIL() << "this process is not there";
}

TEST(ProcfsSource, NamesWhatCannotBeRead) {
  ProcfsSource nothing("/nonexistent"), wrong("/usr");
  const auto result = ReadOf(&nothing);
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, testing::HasSubstr("/nonexistent"));
  EXPECT_FALSE(ReadOf(&wrong).ok());
}

TEST(AutoSource, FallsBackAndComesBack) {
  auto module = std::make_unique<FakeSource>();
  module->Then(Of({Live(1, 1, "a", 1)}));
  module->Then(Error{Cause::kNoModule, "gone"});
  module->Then(Of({Live(1, 1, "a", 2)}));
  AutoSource source(std::move(module), std::make_unique<ProcfsSource>("/proc"));
  EXPECT_EQ(ReadOf(&source).value().source, "module");
  const auto second = ReadOf(&source);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second.value().source, "procfs");
  EXPECT_EQ(second.value().fell_back->message, "gone");
  EXPECT_EQ(ReadOf(&source).value().source, "module");
}

TEST(AutoSource, WithNeitherThePreferredOnesErrorStands) {
  AutoSource source(std::make_unique<ModuleSource>("/proc"),
                    std::make_unique<ProcfsSource>("/nonexistent"));
  const auto result = ReadOf(&source);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().cause, Cause::kNoModule);
}

}  // namespace
}  // namespace pfe
