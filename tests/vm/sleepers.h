// SPDX-License-Identifier: Apache-2.0
// Threads that sleep inside a fault, because they wait for a userfaultfd.
#ifndef TESTS_VM_SLEEPERS_H_
#define TESTS_VM_SLEEPERS_H_

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace pf_test {

class Sleepers {
 public:
  using Touch = std::function<void(char* page)>;

  // Returns when n threads sleep, each in a fault of its own page, which
  // `touch` causes. Ends the process if there is no userfaultfd.
  explicit Sleepers(size_t n, const Touch& touch = Read);
  Sleepers(const Sleepers&) = delete;
  Sleepers& operator=(const Sleepers&) = delete;

  // Lets the threads run on one CPU only from now on, so that their faults
  // complete there. Returns whether that was possible for all.
  bool MoveTo(int cpu);
  // Sends each thread a signal that it has a handler for. The fault of a
  // program's own instruction then ends without its page, and begins anew.
  // Returns when all sleep again.
  void Interrupt();
  // Gives the threads their pages and waits until they have ended.
  void Wake();
  // Closes the userfaultfd, so that the faults complete as those of ordinary
  // memory do, and waits until the threads have ended.
  void Release();

 private:
  static void Read(char* page);
  void WaitUntilAsleep();

  size_t size_;
  char* memory_;
  int fd_;
  std::vector<std::thread> threads_;
};

}  // namespace pf_test

#endif  // TESTS_VM_SLEEPERS_H_
