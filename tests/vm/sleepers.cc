// SPDX-License-Identifier: Apache-2.0
#include "sleepers.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace pf_test {
namespace {

constexpr size_t kPage = 4096;

}  // namespace

void Sleepers::Read(char* page) {
  static_cast<void>(*static_cast<volatile char*>(page));
}

Sleepers::Sleepers(size_t n, const Touch& touch) : size_(n * kPage) {
  void* memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memory_ = static_cast<char*>(memory);
  fd_ = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC));
  uffdio_api api{UFFD_API, 0, 0};
  uffdio_register range{{reinterpret_cast<uint64_t>(memory_), size_},
                        UFFDIO_REGISTER_MODE_MISSING,
                        0};
  if (memory == MAP_FAILED || fd_ < 0 || ioctl(fd_, UFFDIO_API, &api) ||
      ioctl(fd_, UFFDIO_REGISTER, &range))
    _exit(1);
  for (size_t i = 0; i < n; ++i)
    threads_.emplace_back(touch, memory_ + i * kPage);
  WaitUntilAsleep();
}

// A thread sends a message before it sleeps in its fault.
void Sleepers::WaitUntilAsleep() {
  for (size_t i = 0; i < threads_.size(); ++i) {
    uffd_msg message;
    if (read(fd_, &message, sizeof(message)) != sizeof(message)) _exit(1);
  }
}

void Sleepers::Interrupt() {
  signal(SIGUSR1, [](int) {});
  for (std::thread& thread : threads_)
    if (pthread_kill(thread.native_handle(), SIGUSR1)) _exit(1);
  WaitUntilAsleep();
}

bool Sleepers::MoveTo(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  for (std::thread& thread : threads_)
    if (pthread_setaffinity_np(thread.native_handle(), sizeof(set), &set))
      return false;
  return true;
}

void Sleepers::Wake() {
  uffdio_zeropage zero{{reinterpret_cast<uint64_t>(memory_), size_}, 0, 0};
  if (ioctl(fd_, UFFDIO_ZEROPAGE, &zero)) _exit(1);
  for (std::thread& thread : threads_) thread.join();
  close(fd_);
}

void Sleepers::Release() {
  close(fd_);
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace pf_test
