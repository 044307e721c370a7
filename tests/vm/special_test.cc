// SPDX-License-Identifier: Apache-2.0
// Faults that need some preparation: a disk, swap, huge pages, another process,
// a signal handler, a userfaultfd.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "module.h"
#include "page_faults.h"
#include "sleepers.h"
#include "subject.h"

namespace pf_test {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kPages = 200;
constexpr size_t kSize = kPages * kPage;

char* g_memory;

char* MapAt(size_t size, int protection, int flags, int fd = -1) {
  void* memory = mmap(nullptr, size, protection, flags, fd, 0);
  if (memory == MAP_FAILED) _exit(1);
  return static_cast<char*>(memory);
}

char* MapAnonymous(size_t size = kSize) {
  return MapAt(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
}

void TouchPages(char* memory) {
  for (size_t i = 0; i < kSize; i += kPage)
    static_cast<void>(*static_cast<volatile char*>(memory + i));
}

std::string Disk(const std::string& name) {
  const char* disk = getenv("PF_DISK");
  return std::string(disk ? disk : "/disk") + "/" + name;
}

// A file on the disk, filled with `byte`, of which nothing is in the page
// cache.
int ColdFile(char byte) {
  const int fd =
      open(Disk("cold").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
  const std::vector<char> block(kPage, byte);
  for (size_t i = 0; i < kPages; ++i)
    if (write(fd, block.data(), kPage) != static_cast<ssize_t>(kPage)) _exit(1);
  if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)) _exit(1);
  return fd;
}

bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

// Runs the act in a subject and compares its row with the kernel's count before
// the act, after it and when the subject has ended. Returns the growth of a
// column during the act.
uint64_t GrowthOf(const std::string& column, const Subject::Work& prepare,
                  const Subject::Work& act) {
  Subject subject(prepare, act);
  EXPECT_EQ(RowError(subject.pid()), "") << "before";
  const Table before = ReadTable();
  subject.Act();
  EXPECT_EQ(RowError(subject.pid()), "") << "after";
  const Table after = ReadTable();
  const Row* first = before.FindOne(subject.pid());
  const Row* last = after.FindOne(subject.pid());
  if (!first || !last || !last->Has(column)) {
    ADD_FAILURE() << "no row or no column " << column;
    return 0;
  }
  const uint64_t growth = last->Number(column) - first->Number(column);
  const Ended ended{subject.pid(), 0, subject.End()};
  EXPECT_EQ(EndedRowError(ended), "") << "at its end";
  return growth;
}

TEST(Special, MajorFaultsFromTheDisk) {
  const uint64_t major = GrowthOf(
      PF_COL_MAJOR,
      [] {
        g_memory = MapAt(kSize, PROT_READ, MAP_SHARED, ColdFile(1));
        madvise(g_memory, kSize, MADV_RANDOM);  // no readahead
      },
      [] { TouchPages(g_memory); });
  EXPECT_GE(major, kPages / 2);
}

TEST(Special, ExecMappingFromTheDisk) {
  const uint64_t exec = GrowthOf(
      PF_COL_EXEC,
      [] {
        // A page of `ret` instructions.
        g_memory = MapAt(kSize, PROT_READ | PROT_EXEC, MAP_PRIVATE,
                         ColdFile(static_cast<char>(0xc3)));
        madvise(g_memory, kSize, MADV_RANDOM);
      },
      [] {
        for (size_t i = 0; i < kSize; i += kPage)
          reinterpret_cast<void (*)()>(g_memory + i)();
      });
  // For code, 7.x reads and maps 16 pages at once. Older kernels map one.
  EXPECT_GE(exec, kPages / 32);
}

TEST(Special, SwapIn) {
  const std::string swap = Disk("swap");
  const int fd = open(swap.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0);
  // The header that mkswap writes (include/linux/swap.h, union swap_header).
  const std::vector<char> zeros(1 << 20);
  for (int i = 0; i < 16; ++i)
    ASSERT_EQ(write(fd, zeros.data(), zeros.size()),
              static_cast<ssize_t>(zeros.size()));
  const uint32_t header[] = {1, 16 * 256 - 1, 0};
  ASSERT_EQ(pwrite(fd, header, sizeof(header), 1024),
            static_cast<ssize_t>(sizeof(header)));
  ASSERT_EQ(pwrite(fd, "SWAPSPACE2", 10, 4086), 10);
  ASSERT_EQ(fsync(fd), 0);
  close(fd);
  ASSERT_EQ(swapon(swap.c_str(), 0), 0) << strerror(errno);
  {
    Subject subject(
        [] {
          g_memory = MapAnonymous();
          madvise(g_memory, kSize, MADV_NOHUGEPAGE);
          memset(g_memory, 1, kSize);
          madvise(g_memory, kSize, MADV_PAGEOUT);
        },
        [] { TouchPages(g_memory); });
    const Table out = ReadTable();
    ASSERT_NE(out.FindOne(subject.pid()), nullptr);
    EXPECT_GE(out.FindOne(subject.pid())->Number(PF_COL_SWAP_KB),
              kSize / 1024 / 2);
    EXPECT_EQ(out.FindOne(subject.pid())->Number(PF_COL_SWAP_KB),
              ReadProcess(subject.pid()).swap_kb);
    subject.Act();
    EXPECT_EQ(RowError(subject.pid()), "");
    const Table in = ReadTable();
    EXPECT_GT(in.FindOne(subject.pid())->Number(PF_COL_FAULTS),
              out.FindOne(subject.pid())->Number(PF_COL_FAULTS));
  }
  EXPECT_EQ(swapoff(swap.c_str()), 0);
  unlink(swap.c_str());
}

TEST(Special, HugeTlb) {
  ASSERT_TRUE(WriteFile("/proc/sys/vm/nr_hugepages", "8"));
  const uint64_t hugetlb = GrowthOf(
      PF_COL_HUGETLB,
      [] {
        g_memory = MapAt(8 << 20, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB);
      },
      [] {
        for (size_t i = 0; i < 8 << 20; i += 2 << 20) g_memory[i] = 1;
      });
  EXPECT_EQ(hugetlb, 4u);
  WriteFile("/proc/sys/vm/nr_hugepages", "0");
}

TEST(Special, TransparentHugePages) {
  ASSERT_TRUE(
      WriteFile("/sys/kernel/mm/transparent_hugepage/enabled", "madvise"));
  const uint64_t faults = GrowthOf(
      PF_COL_FAULTS,
      [] {
        g_memory = MapAnonymous(16 << 20);
        madvise(g_memory, 16 << 20, MADV_HUGEPAGE);
      },
      [] { memset(g_memory, 1, 16 << 20); });
  EXPECT_GE(faults, 8u);
  EXPECT_LT(faults, 2048u) << "not huge";
}

TEST(Special, Mlock) {
  const uint64_t faults = GrowthOf(
      PF_COL_FAULTS, [] { g_memory = MapAnonymous(); },
      [] {
        if (mlock(g_memory, kSize)) _exit(1);
      });
  EXPECT_GE(faults, kPages);
}

TEST(Special, MemfdIsShmem) {
  const uint64_t faults = GrowthOf(
      PF_COL_SHMEM,
      [] {
        const int fd =
            static_cast<int>(syscall(SYS_memfd_create, "test", MFD_CLOEXEC));
        if (fd < 0 || ftruncate(fd, kSize)) _exit(1);
        g_memory = MapAt(kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
      },
      [] { memset(g_memory, 1, kSize); });
  EXPECT_GE(faults, kPages);
}

sigjmp_buf g_jump;

void OnFatal(int) { siglongjmp(g_jump, 1); }

// An access without a right does not reach handle_mm_fault. When the signal
// handler has granted the right, the access is repeated and does reach it.
TEST(Special, SegvMendedByItsHandler) {
  const uint64_t faults = GrowthOf(
      PF_COL_FAULTS,
      [] {
        g_memory = MapAt(kSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);
        struct sigaction action {};
        action.sa_flags = SA_SIGINFO;
        action.sa_sigaction = [](int, siginfo_t* info, void*) {
          mprotect(
              reinterpret_cast<void*>(
                  reinterpret_cast<uintptr_t>(info->si_addr) & ~(kPage - 1)),
              kPage, PROT_READ | PROT_WRITE);
        };
        sigaction(SIGSEGV, &action, nullptr);
      },
      [] {
        for (size_t i = 0; i < kSize; i += kPage)
          static_cast<volatile char*>(g_memory)[i] = 1;
      });
  EXPECT_GE(faults, kPages);
}

TEST(Special, SigbusPastTheEndOfAFile) {
  const uint64_t sigbus = GrowthOf(
      PF_COL_SIGBUS,
      [] {
        const int fd = open(Disk("short").c_str(),
                            O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        g_memory = MapAt(kPage, PROT_READ, MAP_SHARED, fd);
        signal(SIGBUS, OnFatal);
      },
      [] {
        for (int i = 0; i < 10; ++i)
          if (sigsetjmp(g_jump, 1) == 0)
            static_cast<void>(*static_cast<volatile char*>(g_memory));
      });
  EXPECT_EQ(sigbus, 10u);
}

TEST(Special, ProcessVmReadvIsRemote) {
  g_memory = MapAnonymous();
  madvise(g_memory, kSize, MADV_NOHUGEPAGE);
  // The target inherits the untouched mapping; the subject reads it there.
  static pid_t target;
  target = fork();
  if (target == 0)
    for (;;) pause();
  const uint64_t remote = GrowthOf(
      PF_COL_REMOTE, [] {},
      [] {
        static char copy[kSize];
        iovec local{copy, kSize};
        iovec there{g_memory, kSize};
        if (process_vm_readv(target, &local, 1, &there, 1, 0) !=
            static_cast<ssize_t>(kSize))
          _exit(1);
      });
  EXPECT_GE(remote, kPages);
  EXPECT_EQ(RowError(target), "");
  kill(target, SIGKILL);
  waitpid(target, nullptr, 0);
  munmap(g_memory, kSize);
}

TEST(Special, PtraceIsRemote) {
  g_memory = MapAnonymous();
  madvise(g_memory, kSize, MADV_NOHUGEPAGE);
  const uint64_t remote = GrowthOf(
      PF_COL_REMOTE, [] {},
      [] {
        const pid_t child = fork();
        if (child == 0) {
          ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
          raise(SIGSTOP);
          _exit(0);
        }
        waitpid(child, nullptr, 0);
        for (size_t i = 0; i < kSize; i += kPage)
          if (ptrace(PTRACE_POKEDATA, child, g_memory + i, nullptr)) _exit(1);
        kill(child, SIGKILL);  // not waited for: wait4's usage would include it
      });
  EXPECT_GE(remote, kPages);
  munmap(g_memory, kSize);
}

TEST(Special, TwoHundredThreadsWaitForUserfaultfd) {
  static Sleepers* sleepers;
  constexpr size_t kThreads = 200;
  Subject subject([] { sleepers = new Sleepers(kThreads); },
                  [] { sleepers->Wake(); });
  subject.Act();
  EXPECT_EQ(RowError(subject.pid()), "");
  EXPECT_GE(ReadTable().FindOne(subject.pid())->Number(PF_COL_RETRIED),
            kThreads);
  EXPECT_EQ(StatsNumber(ReadStats(), PF_KEY_PROBE_MISSED), 0);
}

}  // namespace
}  // namespace pf_test
