// SPDX-License-Identifier: Apache-2.0
// Loading, the parameters, and what the module publishes.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "module.h"
#include "page_faults.h"
#include "subject.h"

namespace pf_test {
namespace {

const char kDirectory[] = "/sys/kernel/debug/" PF_DEBUGFS_DIR "/";

TEST(Load, FilesAreReadOnlyForRoot) {
  for (const char* name : {PF_FILE_PROCESSES, PF_FILE_STATS, PF_FILE_LATENCY}) {
    struct stat info;
    ASSERT_EQ(stat((std::string(kDirectory) + name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 07777, 0400u) << name;
    EXPECT_NE(ReadModuleFile(name), "") << name;
  }
}

TEST(Load, EveryContractColumnIsOffered) {
  const Table table = ReadTable();
  ASSERT_FALSE(table.rows.empty());
  for (const char* column :
       {PF_COL_PID,         PF_COL_START_NS,     PF_COL_STATE,
        PF_COL_VMA_KB,      PF_COL_RSS_KB,       PF_COL_RSS_ANON_KB,
        PF_COL_RSS_FILE_KB, PF_COL_RSS_SHMEM_KB, PF_COL_SWAP_KB,
        PF_COL_HUGETLB_KB,  PF_COL_FAULTS,       PF_COL_MINOR,
        PF_COL_MAJOR,       PF_COL_READ,         PF_COL_WRITE,
        PF_COL_EXEC,        PF_COL_USER,         PF_COL_KERNEL,
        PF_COL_REMOTE,      PF_COL_ANON,         PF_COL_FILE,
        PF_COL_SHMEM,       PF_COL_HUGETLB,      PF_COL_RETRIED,
        PF_COL_SIGBUS,      PF_COL_SIGSEGV,      PF_COL_OOM,
        PF_COL_HWPOISON,    PF_COL_STALL_NS,     PF_COL_SLOW_1MS,
        PF_COL_SLOW_10MS,   PF_COL_SLOW_100MS,   PF_COL_SLOW_1S,
        PF_COL_BREAKDOWN,   PF_COL_CGROUP,       PF_COL_COMM})
    EXPECT_TRUE(table.rows[0].Has(column)) << column;
}

TEST(Load, StatsDescribeTheModule) {
  const Stats stats = ReadStats();
  EXPECT_EQ(stats.at(PF_KEY_DETAIL), "full");
  EXPECT_EQ(StatsNumber(stats, PF_KEY_CAPACITY), 16384);
  EXPECT_GT(StatsNumber(stats, PF_KEY_LOADED_NS), 0);
  EXPECT_GT(StatsNumber(stats, PF_KEY_LIVE), 0);
  EXPECT_FALSE(stats.at(PF_KEY_MODULE_VERSION).empty());
}

TEST(Load, ProcessesFromBeforeHaveARow) {
  UnloadModule();
  Subject idle([] {});
  ASSERT_EQ(LoadModule(), 0);
  const Table table = ReadTable();
  const Row* row = table.FindOne(idle.pid());
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->Number(PF_COL_FAULTS), 0u);
  EXPECT_GT(row->Number(PF_COL_VMA_KB), 0u);
  EXPECT_EQ(row->Number(PF_COL_RSS_KB), ReadProcess(idle.pid()).rss_kb);
}

// More than are found in one step (PF_TABLE_BATCH).
TEST(Load, ManyProcessesFromBeforeHaveARow) {
  UnloadModule();
  std::vector<std::unique_ptr<Subject>> idle;
  for (int i = 0; i < 150; ++i)
    idle.push_back(std::make_unique<Subject>([] {}));
  ASSERT_EQ(LoadModule(), 0);
  const Table table = ReadTable();
  for (const auto& subject : idle) {
    const Row* row = table.FindOne(subject->pid());
    ASSERT_NE(row, nullptr) << subject->pid();
    EXPECT_EQ(row->Number(PF_COL_FAULTS), 0u);
  }
}

TEST(Load, KernelThreadsHaveNoRow) {
  EXPECT_TRUE(ReadTable().Find(2).empty()) << "kthreadd";
}

// The kernel's log, as dmesg shows it.
std::string KernelLog() {
  std::string log(1 << 20, '\0');
  const int size = klogctl(3, log.data(), static_cast<int>(log.size()));
  log.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return log;
}

class BadParameters : public testing::TestWithParam<const char*> {};

TEST_P(BadParameters, AreRefused) {
  UnloadModule();
  klogctl(5, nullptr, 0);  // clears the log
  EXPECT_EQ(LoadModule(GetParam()), EINVAL);
  EXPECT_FALSE(ModuleIsLoaded());
  const std::string parameter = GetParam();
  const std::string log = KernelLog();
  EXPECT_NE(log.find("page_faults: "), std::string::npos) << log;
  EXPECT_NE(log.find(parameter.substr(0, parameter.find('='))),
            std::string::npos)
      << log;
}
INSTANTIATE_TEST_SUITE_P(Load, BadParameters,
                         testing::Values("max_processes=0", "max_processes=15",
                                         "max_processes=4194305",
                                         "max_processes=x", "max_processes=-1",
                                         "maxactive=0", "maxactive=65537",
                                         "hook=both", "hook=", "blocks=4097",
                                         "blocks=x", "latency=7", "retain_ms=x",
                                         "detail=some", "detail="));

// Old files in /etc/modprobe.d can still set detail=totals.
TEST(Load, DetailTotalsLoadsWithAWarning) {
  UnloadModule();
  klogctl(5, nullptr, 0);  // clears the log
  ASSERT_EQ(LoadModule("detail=totals"), 0);
  const std::string log = KernelLog();
  const std::string warning = "detail=totals does not exist any more";
  EXPECT_NE(log.find(warning), std::string::npos) << log;
  EXPECT_EQ(log.find(warning), log.rfind(warning)) << log;
  EXPECT_EQ(ReadStats().at(PF_KEY_DETAIL), "full");
  EXPECT_TRUE(ReadTable().rows.at(0).Has(PF_COL_BREAKDOWN));
}

TEST(Load, WithoutLatencyNothingIsTimed) {
  UnloadModule();
  ASSERT_EQ(LoadModule("latency=0"), 0);
  const Table table = ReadTable();
  ASSERT_FALSE(table.rows.empty());
  for (const char* column : {PF_COL_STALL_NS, PF_COL_SLOW_1MS, PF_COL_SLOW_10MS,
                             PF_COL_SLOW_100MS, PF_COL_SLOW_1S}) {
    EXPECT_FALSE(table.rows[0].Has(column)) << column;
    EXPECT_EQ(ReadStats().count(column), 0u) << column;
  }
  EXPECT_NE(access((std::string(kDirectory) + PF_FILE_LATENCY).c_str(), F_OK),
            0);
}

TEST(Load, ReadingByteByByteGivesTheSameForm) {
  const int fd = open((std::string(kDirectory) + PF_FILE_PROCESSES).c_str(),
                      O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  std::string text;
  char buffer[7];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof(buffer))) > 0)
    text.append(buffer, static_cast<size_t>(n));
  close(fd);
  const size_t last = text.rfind(PF_TRAILER);
  ASSERT_NE(last, std::string::npos);
  size_t lines = 0;
  for (char c : text) lines += c == '\n';
  EXPECT_EQ(text.substr(last), PF_TRAILER + std::to_string(lines - 3) + "\n");
}

}  // namespace
}  // namespace pf_test
