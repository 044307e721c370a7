// SPDX-License-Identifier: Apache-2.0
#include "source/procfs_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

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
  ASSERT_EQ(ParseProcStat(std::string("42 (a) b (c)") + kStat, &table),
            StatText::kProcess);
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
    EXPECT_EQ(ParseProcStat(text, &table), StatText::kMalformed) << text;
    EXPECT_TRUE(table.empty());
  }
}

// The numbers of kStat that are multiplied or added up.
TEST(ParseProcStat, RefusesWhatOverflows) {
  const auto page = static_cast<uint64_t>(getpagesize());
  const std::string pages = std::to_string(UINT64_MAX / page);
  const std::string too_many_pages = std::to_string(UINT64_MAX / page + 1);
  const struct {
    std::string from, to;
    bool good;
  } cases[] = {
      {" 250 ", " " + pages + " ", true},
      {" 250 ", " " + too_many_pages + " ", false},
      {" 12345 ", " 1844674407370 ", true},
      {" 12345 ", " 1844674407371 ", false},
      {" 777 ", " 18446744073709551607 ", true},
      {" 777 ", " 18446744073709551608 ", false},
      {" 777 ", " 18446744073709551616 ", false},
      {" 250 ", " 250", false},
      {" 250 ", " -1 ", true},
  };
  for (const auto& [from, to, good] : cases) {
    std::string text = std::string("42 (a)") + kStat;
    text.replace(text.find(from), from.size(), to);
    if (!to.ends_with(' ')) text.resize(text.find(to) + to.size());
    ProcessTable table;
    EXPECT_EQ(ParseProcStat(text, &table),
              good ? StatText::kProcess : StatText::kMalformed)
        << text;
  }
}

TEST(ParseProcStat, LeavesKernelThreadsOutAndKnowsZombies) {
  std::string text = std::string("2 (kthreadd)") + kStat;
  text.replace(text.find("4194560"), 7, "2129984");
  ProcessTable table;
  EXPECT_EQ(ParseProcStat(text, &table), StatText::kKernelThread);
  EXPECT_TRUE(table.empty());
  text = std::string("3 (dead)") + kStat;
  text.replace(text.find(" S "), 3, " Z ");
  ASSERT_EQ(ParseProcStat(text, &table), StatText::kProcess);
  EXPECT_FALSE(table[0].live);
}

TEST(ParseProcStat, ALeaderThatExitedIsNotTheEndOfItsProcess) {
  std::string text = std::string("3 (threads)") + kStat;
  text.replace(text.find(" S "), 3, " Z ");
  // The fields 18 to 21: priority, nice, num_threads, itrealvalue.
  ASSERT_NE(text.find(" 20 0 1 0 "), std::string::npos);
  text.replace(text.find(" 20 0 1 0 "), 10, " 20 0 2 0 ");
  ProcessTable table;
  ASSERT_EQ(ParseProcStat(text, &table), StatText::kProcess);
  EXPECT_TRUE(table[0].live);
}

// A directory with files like those of procfs.
class FakeProcfs : public testing::Test {
 protected:
  FakeProcfs() : path_(testing::TempDir() + "pfe_procfs") {
    std::filesystem::remove_all(path_);
  }
  ~FakeProcfs() override { std::filesystem::remove_all(path_); }

  void Write(const std::string& file, const std::string& text) const {
    const std::filesystem::path path = path_ + "/" + file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  void AddProcess(int pid) const {
    const std::string text = std::to_string(pid);
    Write(text + "/stat", text + " (a)" + kStat);
  }
  Result<Snapshot> Read() const {
    ProcfsSource source(path_);
    return ReadOf(&source);
  }

  const std::string path_;
};

TEST_F(FakeProcfs, ProcessesOfOthersAreHidden) {
  AddProcess(7);
  AddProcess(8);
  const auto result = Read();
  ASSERT_FALSE(result.ok()) << "every pid namespace has a process 1";
  EXPECT_EQ(result.error().cause, Cause::kHidden);
  EXPECT_THAT(result.error().message, testing::HasSubstr("hidepid"));
  AddProcess(1);
  EXPECT_TRUE(Read().ok());
}

TEST_F(FakeProcfs, AContainersOwnProcfsIsNotTheHosts) {
  AddProcess(1);
  ASSERT_TRUE(Read().ok()) << "it is another process than this one";
  std::filesystem::create_symlink("1", path_ + "/self");
  const auto result = Read();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().cause, Cause::kHidden);
  EXPECT_THAT(result.error().message, testing::HasSubstr("--path.procfs"));
  AddProcess(2);
  EXPECT_TRUE(Read().ok());
}

// Kernel threads are in the pid namespace of the host only.
TEST_F(FakeProcfs, AProcfsWithoutKernelThreadsIsAContainers) {
  AddProcess(1);
  AddProcess(2);
  auto result = Read();
  ASSERT_TRUE(result.ok()) << "it may be what the user wants";
  EXPECT_THAT(result.value().limited, testing::HasSubstr("--path.procfs"));
  // Any of them shows it.
  std::string worker = std::string("3 (kworker/0:1)") + kStat;
  worker.replace(worker.find("4194560"), 7, "2129984");
  Write("3/stat", worker);
  result = Read();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.value().limited, "");
}

// A process that exits has no stat any more. Any other error means that the
// read is not complete.
TEST_F(FakeProcfs, AProcessThatCannotBeReadIsAnError) {
  AddProcess(1);
  std::filesystem::create_directories(path_ + "/2");
  ASSERT_TRUE(Read().ok());
  std::filesystem::create_symlink("stat", path_ + "/2/stat");
  const auto result = Read();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().cause, Cause::kIo);
  EXPECT_EQ(result.error().message, path_ + "/2/stat: " + std::strerror(ELOOP));
}

TEST_F(FakeProcfs, AStatThatIsMalformedIsAnError) {
  AddProcess(1);
  for (const char* text : {"", "7 (a) S 1 2"}) {
    Write("7/stat", text);
    const auto result = Read();
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().cause, Cause::kMalformed);
    EXPECT_EQ(result.error().message,
              path_ + "/7/stat: the line is not understood");
  }
}

// The kB of hugetlb that each process has, by pid.
std::map<uint32_t, uint64_t> HugetlbOf(const Snapshot& snapshot) {
  std::map<uint32_t, uint64_t> kb;
  for (const Process& process : snapshot.processes)
    kb[process.pid] = process.hugetlb_kb;
  return kb;
}

TEST_F(FakeProcfs, HugetlbIsInStatus) {
  AddProcess(1);
  AddProcess(2);
  Write("1/status", "Name:\ta\nVmSwap:\t 7 kB\nHugetlbPages:\t    4096 kB\n");
  Write("2/status", "Name:\tHugetlbPages: 7\nHugetlbPages:\t       0 kB\n");
  const std::map<uint32_t, uint64_t> used = {{1, 4096}, {2, 0}};
  Write("meminfo", "MemTotal: 9 kB\nHugetlb:            8192 kB\n");
  auto result = Read();
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_TRUE(result.value().offered.hugetlb);
  EXPECT_EQ(HugetlbOf(result.value()), used);

  // The files of the processes are not read while there is none.
  Write("meminfo", "MemTotal: 9 kB\nHugetlb:               0 kB\n");
  result = Read();
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result.value().offered.hugetlb);
  EXPECT_EQ(HugetlbOf(result.value()),
            (std::map<uint32_t, uint64_t>{{1, 0}, {2, 0}}));

  // meminfo can be hidden or another one than the kernel's.
  std::filesystem::remove(path_ + "/meminfo");
  result = Read();
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result.value().offered.hugetlb);
  EXPECT_EQ(HugetlbOf(result.value()), used);
}

// The groups of a process stand before it.
TEST_F(FakeProcfs, AStatusMayBeLong) {
  AddProcess(1);
  std::string groups;
  for (int id = 0; id < 65536; ++id) groups += " 4294967294";
  Write("1/status", "Groups:" + groups + "\nHugetlbPages:\t 2048 kB\n");
  const auto result = Read();
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(HugetlbOf(result.value()),
            (std::map<uint32_t, uint64_t>{{1, 2048}}));
}

TEST_F(FakeProcfs, AStatusThatCannotBeReadIsAnError) {
  AddProcess(1);
  Write("1/status", "HugetlbPages:\t 18014398509481984 kB\n");
  EXPECT_EQ(HugetlbOf(Read().value()), (std::map<uint32_t, uint64_t>{{1, 0}}))
      << "it overflows as bytes";
  std::filesystem::remove(path_ + "/1/status");
  ASSERT_TRUE(Read().ok()) << "the process has exited";
  std::filesystem::create_symlink("status", path_ + "/1/status");
  const auto result = Read();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().cause, Cause::kIo);
  EXPECT_EQ(result.error().message,
            path_ + "/1/status: " + std::strerror(ELOOP));
}

TEST_F(FakeProcfs, AKernelWithoutHugetlbDoesNotOfferIt) {
  AddProcess(1);
  AddProcess(2);
  Write("1/status", "Name:\ta\nVmSwap:\t 7 kB\n");
  Write("meminfo", "MemTotal: 9 kB\nHugepagesize: 2048 kB\n");
  const auto result = Read();
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_FALSE(result.value().offered.hugetlb);
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

// A list of processes that ends with an error is not complete. A zombie has no
// network namespace, so the directory of its network has no list.
TEST(ProcfsSource, AListThatCannotBeReadIsAnError) {
  const pid_t zombie = fork();
  if (zombie == 0) _exit(0);
  siginfo_t ended;
  waitid(P_PID, static_cast<id_t>(zombie), &ended, WEXITED | WNOWAIT);
  ProcfsSource source("/proc/" + std::to_string(zombie) + "/net");
  const auto result = ReadOf(&source);
  waitpid(zombie, nullptr, 0);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().cause, Cause::kIo);
  EXPECT_THAT(result.error().message,
              testing::HasSubstr(std::strerror(EINVAL)));
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

TEST(AutoSource, WithNeitherBothErrorsAreTold) {
  AutoSource source(std::make_unique<ModuleSource>("/proc"),
                    std::make_unique<ProcfsSource>("/nonexistent"));
  Snapshot snapshot;
  const auto error = source.Read(&snapshot);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->cause, Cause::kIo);
  EXPECT_THAT(error->message, testing::HasSubstr("/proc/page_faults: "));
  EXPECT_THAT(error->message, testing::HasSubstr("; /nonexistent: "));
  ASSERT_TRUE(snapshot.fell_back);
  EXPECT_EQ(snapshot.fell_back->cause, Cause::kNoModule);
}

}  // namespace
}  // namespace pfe
