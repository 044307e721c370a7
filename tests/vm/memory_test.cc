// SPDX-License-Identifier: Apache-2.0
// The memory columns against the kernel's own accounting.
#include <gtest/gtest.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "module.h"
#include "page_faults.h"
#include "storm_kit.h"
#include "subject.h"

namespace pf_test {
namespace {

char* Map(size_t size, int flags = MAP_PRIVATE | MAP_ANONYMOUS) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (memory == MAP_FAILED) _exit(1);
  return static_cast<char*>(memory);
}

void ExpectMemoryEqualsKernel(pid_t pid) {
  const Table table = ReadTable();
  const Row* row = table.FindOne(pid);
  ASSERT_NE(row, nullptr);
  const ProcessInfo process = ReadProcess(pid);
  EXPECT_EQ(row->Number(PF_COL_VMA_KB), process.vma_kb);
  EXPECT_EQ(row->Number(PF_COL_RSS_KB), process.rss_kb);
  EXPECT_EQ(row->Number(PF_COL_SWAP_KB), process.swap_kb);
  EXPECT_EQ(row->Number(PF_COL_HUGETLB_KB), process.hugetlb_kb);
}

TEST(Memory, QuietProcessEqualsSmapsRollup) {
  Subject subject([] {}, [] { memset(Map(64 << 20), 1, 32 << 20); });
  ExpectMemoryEqualsKernel(subject.pid());
  subject.Act();
  ExpectMemoryEqualsKernel(subject.pid());
}

TEST(Memory, AFewPagesCount) {
  Subject subject([] {}, [] { memset(Map(16 * kPage), 1, 3 * kPage); });
  subject.Act();
  ExpectMemoryEqualsKernel(subject.pid());
}

TEST(Memory, UnmappedMemoryIsGone) {
  Subject subject([] {},
                  [] {
                    char* memory = Map(8 << 20);
                    memset(memory, 1, 8 << 20);
                    munmap(memory, 8 << 20);
                  });
  const uint64_t before =
      ReadTable().FindOne(subject.pid())->Number(PF_COL_VMA_KB);
  subject.Act();
  EXPECT_EQ(ReadTable().FindOne(subject.pid())->Number(PF_COL_VMA_KB), before);
  ExpectMemoryEqualsKernel(subject.pid());
}

TEST(Memory, SharedMemoryIsShmem) {
  Subject subject(
      [] {},
      [] { memset(Map(4 << 20, MAP_SHARED | MAP_ANONYMOUS), 1, 4 << 20); });
  const Table before = ReadTable();
  subject.Act();
  const Table after = ReadTable();
  EXPECT_GE(after.FindOne(subject.pid())->Number(PF_COL_RSS_SHMEM_KB),
            before.FindOne(subject.pid())->Number(PF_COL_RSS_SHMEM_KB) + 4096);
  ExpectMemoryEqualsKernel(subject.pid());
}

TEST(Memory, ThreadsHoldNothingBack) {
  Subject subject([] {},
                  [] {
                    static std::atomic<int> done{0};
                    for (int t = 0; t < 8; ++t)
                      std::thread([] {
                        memset(Map(37 * kPage), 1, 37 * kPage);
                        ++done;
                        pause();
                      }).detach();
                    while (done < 8) usleep(1000);
                    usleep(50000);
                  });
  subject.Act();
  ExpectMemoryEqualsKernel(subject.pid());
}

uint64_t HugetlbKb(pid_t pid) {
  const Table table = ReadTable();
  const Row* row = table.FindOne(pid);
  EXPECT_NE(row, nullptr);
  return row ? row->Number(PF_COL_HUGETLB_KB) : 0;
}

// Huge pages count from the first touch until the process ends.
void ExpectHugetlbCounts(int flags) {
  constexpr size_t kHuge = 2 << 20;
  static char* memory;
  Subject subject(
      [flags] { memory = Map(4 * kHuge, flags | MAP_ANONYMOUS | MAP_HUGETLB); },
      [] {
        for (size_t i = 0; i < 3; ++i) memory[i * kHuge] = 1;
      });
  EXPECT_EQ(HugetlbKb(subject.pid()), 0u);
  subject.Act();
  EXPECT_EQ(HugetlbKb(subject.pid()), 3 * kHuge / 1024);
  ExpectMemoryEqualsKernel(subject.pid());
  subject.End();
  EXPECT_EQ(HugetlbKb(subject.pid()), 0u);
}

TEST(Memory, HugetlbPagesCountOnceTouched) {
  const Setting pages("/proc/sys/vm/nr_hugepages", "8");
  ASSERT_TRUE(pages.set());
  ExpectHugetlbCounts(MAP_PRIVATE);
  ExpectHugetlbCounts(MAP_SHARED);
}

// A leader that has exited has no mm, but its threads have one.
TEST(Memory, LeaderGoneThreadsRemain) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    std::thread([ready] {
      usleep(100000);
      memset(Map(1 << 20), 1, 1 << 20);
      if (write(ready[1], "x", 1) != 1) _exit(1);
      pause();
    }).detach();
    syscall(SYS_exit, 0);
  }
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  usleep(50000);
  const Table table = ReadTable();
  const Row* row = table.FindOne(pid);
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->Text(PF_COL_STATE), PF_STATE_LIVE);
  EXPECT_GE(row->Number(PF_COL_RSS_ANON_KB), 1024u);
  EXPECT_EQ(RowError(pid), "");
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace pf_test
