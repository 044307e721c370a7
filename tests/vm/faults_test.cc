// SPDX-License-Identifier: Apache-2.0
// Faults of every kind: the row equals the kernel's accounting exactly, and the
// breakdown counts each fault as what it was.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <ostream>
#include <thread>
#include <vector>

#include "module.h"
#include "page_faults.h"
#include "subject.h"

namespace pf_test {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kPages = 500;
constexpr size_t kSize = kPages * kPage;

char* g_memory;  // mapped by `prepare`, used by `act`

char* Map(size_t size, int flags = MAP_PRIVATE | MAP_ANONYMOUS, int fd = -1) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (memory == MAP_FAILED) _exit(1);
  madvise(memory, size, MADV_NOHUGEPAGE);
  return static_cast<char*>(memory);
}

void WritePages(char* memory) {
  for (size_t i = 0; i < kSize; i += kPage) memory[i] = 1;
}

void ReadPages(const char* memory) {
  for (size_t i = 0; i < kSize; i += kPage)
    static_cast<void>(*static_cast<const volatile char*>(memory + i));
}

// A file of kSize bytes on the guest's disk (PF_DISK, default /disk).
int DiskFile() {
  const char* disk = getenv("PF_DISK");
  std::string path = std::string(disk ? disk : "/disk") + "/data";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) _exit(1);
  static char block[kPage] = {1};
  for (size_t i = 0; i < kPages; ++i)
    if (write(fd, block, kPage) != static_cast<ssize_t>(kPage)) _exit(1);
  return fd;
}

struct Workload {
  const char* name;
  Subject::Work prepare;
  Subject::Work act;
  const char* token;  // the breakdown's name for the faults of `act`
  uint64_t at_least;  // the number of these faults
  uint64_t at_most;
};
std::ostream& operator<<(std::ostream& out, const Workload& w) {
  return out << w.name;
}

class Faults : public testing::TestWithParam<Workload> {};

TEST_P(Faults, EqualTheKernelsCount) {
  const Workload& workload = GetParam();
  Subject subject(workload.prepare, workload.act);
  EXPECT_EQ(RowError(subject.pid()), "") << "before";
  const Table before = ReadTable();
  subject.Act();
  EXPECT_EQ(RowError(subject.pid()), "") << "after";
  const Table after = ReadTable();
  ASSERT_NE(before.FindOne(subject.pid()), nullptr);
  ASSERT_NE(after.FindOne(subject.pid()), nullptr);
  const uint64_t growth =
      after.FindOne(subject.pid())->Breakdown(workload.token) -
      before.FindOne(subject.pid())->Breakdown(workload.token);
  EXPECT_GE(growth, workload.at_least);
  EXPECT_LE(growth, workload.at_most);
  const Ended ended{subject.pid(), 0, subject.End()};
  EXPECT_EQ(EndedRowError(ended), "") << "at its end";
}

const Workload kWorkloads[] = {
    {"AnonymousWrite", [] { g_memory = Map(kSize); },
     [] { WritePages(g_memory); }, "mwa", kPages, kPages + 2},
    {"AnonymousRead", [] { g_memory = Map(kSize); },
     [] { ReadPages(g_memory); }, "mra", kPages, kPages + 2},
    {"ZeroPageUpgrade",
     [] {
       g_memory = Map(kSize);
       ReadPages(g_memory);
     },
     [] { WritePages(g_memory); }, "mwa", kPages, kPages + 2},
    {"Populate", [] {},
     [] { Map(kSize, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE); }, "mwa",
     kPages, kPages + 4},
    {"KernelCopy", [] { g_memory = Map(kSize); },
     [] {
       const int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
       if (read(zero, g_memory, kSize) != static_cast<ssize_t>(kSize)) _exit(1);
     },
     "mwa", kPages, kPages + 4},
    {"SharedMemoryWrite",
     [] { g_memory = Map(kSize, MAP_SHARED | MAP_ANONYMOUS); },
     [] { WritePages(g_memory); }, "mws", kPages, kPages},
    {"FileWrite", [] { g_memory = Map(kSize, MAP_SHARED, DiskFile()); },
     [] { WritePages(g_memory); }, "mwf", kPages, kPages},
    {"PrivateFileWrite", [] { g_memory = Map(kSize, MAP_PRIVATE, DiskFile()); },
     [] { WritePages(g_memory); }, "mwf", kPages, kPages},
    {"FileRead", [] { g_memory = Map(kSize, MAP_SHARED, DiskFile()); },
     [] { ReadPages(g_memory); }, "mrf", kPages / 16, kPages},
    {"CopyOnWrite",
     [] {
       g_memory = Map(kSize);
       WritePages(g_memory);
       // The child shares the pages and lives as long as its parent.
       int hold[2];
       if (pipe(hold)) _exit(1);
       if (fork() == 0) {
         char byte;
         close(hold[1]);
         _exit(read(hold[0], &byte, 1) != 0);
       }
       close(hold[0]);
     },
     [] { WritePages(g_memory); }, "mwa", kPages, kPages + 4},
    {"EightThreads", [] { g_memory = Map(8 * kSize); },
     [] {
       std::vector<std::thread> threads;
       for (size_t t = 0; t < 8; ++t)
         threads.emplace_back([t] { WritePages(g_memory + t * kSize); });
       for (std::thread& thread : threads) thread.join();
     },
     "mwa", 8 * kPages, 8 * kPages + 200},
    {"EightThreadsOnTheSamePages", [] { g_memory = Map(kSize); },
     [] {
       std::vector<std::thread> threads;
       for (int t = 0; t < 8; ++t)
         threads.emplace_back([] { WritePages(g_memory); });
       for (std::thread& thread : threads) thread.join();
     },
     "mwa", kPages, 8 * kPages + 200},
};
INSTANTIATE_TEST_SUITE_P(, Faults, testing::ValuesIn(kWorkloads),
                         [](const testing::TestParamInfo<Workload>& test) {
                           return std::string(test.param.name);
                         });

}  // namespace
}  // namespace pf_test
