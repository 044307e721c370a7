// SPDX-License-Identifier: Apache-2.0
// Storms in which a process touches another's memory, or a kernel thread
// touches memory for a process.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "module.h"
#include "page_faults.h"
#include "storm_kit.h"

namespace pf_test {
namespace {

constexpr size_t kPages = 128;

// Starts a child that waits. It has its own copy of *memory at that address.
pid_t Target(char** memory) {
  *memory = MapPages(kPages);
  madvise(*memory, kPages * kPage, MADV_NOHUGEPAGE);
  const pid_t pid = fork();
  if (pid == 0)
    for (;;) pause();
  return pid;
}

void End(pid_t pid) {
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

void CopyAcross(pid_t target, char* there, bool write) {
  static char here[kPages * kPage];
  iovec local{here, sizeof(here)}, remote{there, sizeof(here)};
  const ssize_t n = write ? process_vm_writev(target, &local, 1, &remote, 1, 0)
                          : process_vm_readv(target, &local, 1, &remote, 1, 0);
  if (n != static_cast<ssize_t>(sizeof(here))) _exit(1);
}

// Two processes write and two read the memory of another one.
TEST(StormQuick, MemoryOfOthers) {
  for (int i = 0; i < 3; ++i) {
    char* memory;
    const pid_t target = Target(&memory);
    const auto ended = RunAtOnce(
        4, [target, memory](int n) { CopyAcross(target, memory, n % 2); });
    EXPECT_TRUE(AllSucceeded(ended));
    EXPECT_EQ(RowError(target), "");
    for (const Ended& child : ended) EXPECT_EQ(EndedRowError(child), "");
    End(target);
    munmap(memory, kPages * kPage);
  }
  EXPECT_GE(StatsNumber(ReadStats(), PF_COL_REMOTE),
            static_cast<int64_t>(3 * kPages));
}

TEST(StormSlow, TargetsKilledWhileTheirMemoryIsRead) {
  for (int i = 0; i < 20; ++i) {
    char* memory;
    const pid_t target = Target(&memory);
    Crowd crowd(3, [target, memory] {
      char here[16 * kPage];
      iovec local{here, sizeof(here)}, remote{memory, sizeof(here)};
      process_vm_writev(target, &local, 1, &remote, 1, 0);
    });
    usleep(10000);
    End(target);
    usleep(2000);
    crowd.Kill();
    munmap(memory, kPages * kPage);
  }
}

TEST(StormSlow, Ptrace) {
  EXPECT_TRUE(AllSucceeded(RunAtOnce(4, [](int) {
    char* memory = MapPages(kPages);
    const pid_t child = fork();
    if (child == 0) {
      ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      raise(SIGSTOP);
      for (;;) FaultRound();
    }
    waitpid(child, nullptr, 0);
    for (size_t i = 0; i < kPages; ++i)
      if (ptrace(PTRACE_POKEDATA, child, memory + i * kPage, i)) _exit(1);
    for (int step = 0; step < 200; ++step) {
      if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr)) _exit(2);
      int status;
      waitpid(child, &status, 0);
      if (!WIFSTOPPED(status)) _exit(3);
    }
    End(child);
  })));
  EXPECT_GE(StatsNumber(ReadStats(), PF_COL_REMOTE),
            static_cast<int64_t>(4 * kPages));
}

// A minimal io_uring: one request at a time, done by a worker thread.
class Ring {
 public:
  Ring() {
    io_uring_params params{};
    fd_ = static_cast<int>(syscall(SYS_io_uring_setup, 4, &params));
    if (fd_ < 0) return;
    submission_ =
        Map(IORING_OFF_SQ_RING, params.sq_off.array + params.sq_entries * 4);
    completion_ =
        Map(IORING_OFF_CQ_RING,
            params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
    entries_ = reinterpret_cast<io_uring_sqe*>(
        Map(IORING_OFF_SQES, params.sq_entries * sizeof(io_uring_sqe)));
    params_ = params;
  }

  bool exists() const { return fd_ >= 0; }

  // Lets a worker read from the start of the file, so that it is the worker
  // that faults the memory in. Returns the result of the request.
  int Read(int file, char* memory, unsigned size) {
    const unsigned tail = *At(submission_, params_.sq_off.tail);
    const unsigned index = tail & *At(submission_, params_.sq_off.ring_mask);
    io_uring_sqe& entry = entries_[index];
    memset(&entry, 0, sizeof(entry));
    entry.opcode = IORING_OP_READ;
    entry.flags = IOSQE_ASYNC;
    entry.fd = file;
    entry.addr = reinterpret_cast<uint64_t>(memory);
    entry.len = size;
    At(submission_, params_.sq_off.array)[index] = index;
    __atomic_store_n(At(submission_, params_.sq_off.tail), tail + 1,
                     __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, fd_, 1, 1, IORING_ENTER_GETEVENTS, nullptr,
                0) != 1)
      return -errno;
    const unsigned head = *At(completion_, params_.cq_off.head);
    const unsigned mask = *At(completion_, params_.cq_off.ring_mask);
    const auto* done =
        reinterpret_cast<io_uring_cqe*>(completion_ + params_.cq_off.cqes);
    const int result = done[head & mask].res;
    __atomic_store_n(At(completion_, params_.cq_off.head), head + 1,
                     __ATOMIC_RELEASE);
    return result;
  }

 private:
  char* Map(off_t offset, size_t size) const {
    return static_cast<char*>(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_POPULATE, fd_, offset));
  }
  static unsigned* At(char* ring, unsigned offset) {
    return reinterpret_cast<unsigned*>(ring + offset);
  }

  int fd_;
  io_uring_params params_{};
  char* submission_ = nullptr;
  char* completion_ = nullptr;
  io_uring_sqe* entries_ = nullptr;
};

TEST(StormSlow, IoUringWorkers) {
  Subject subject([] {
    Ring ring;
    if (!ring.exists()) return;
    const int file = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < 50; ++i) {
      char* memory = MapPages(16);
      if (ring.Read(file, memory, 16 * kPage) != 16 * static_cast<int>(kPage))
        _exit(1);
      munmap(memory, 16 * kPage);
    }
  });
  subject.Act();
  EXPECT_EQ(RowError(subject.pid()), "");
  // A worker is a thread of the process, so its faults are in the process's
  // row.
  EXPECT_GE(ReadTable().FindOne(subject.pid())->Number(PF_COL_KERNEL),
            50u * 16);
}

// The owner of a ring is killed while a worker works for it.
TEST(StormSlow, IoUringOwnersKilled) {
  for (int i = 0; i < 10; ++i) {
    Crowd crowd(3, [] {
      static Ring ring;
      static int file = open("/dev/zero", O_RDONLY | O_CLOEXEC);
      char* memory = MapPages(64);
      if (ring.exists()) ring.Read(file, memory, 64 * kPage);
      munmap(memory, 64 * kPage);
    });
    usleep(20000);
  }
}

}  // namespace
}  // namespace pf_test
