// SPDX-License-Identifier: Apache-2.0
// Threads that sleep inside a fault, because they wait for a userfaultfd.
#ifndef TESTS_VM_SLEEPERS_H_
#define TESTS_VM_SLEEPERS_H_

#include <cstddef>
#include <thread>
#include <vector>

namespace pf_test {

class Sleepers {
 public:
  // Returns when n threads sleep, each in a fault of its own page. Ends the
  // process if there is no userfaultfd.
  explicit Sleepers(size_t n);
  Sleepers(const Sleepers&) = delete;
  Sleepers& operator=(const Sleepers&) = delete;

  // Lets the threads run on one CPU only from now on, so that their faults
  // complete there. Returns whether that was possible for all.
  bool MoveTo(int cpu);
  // Gives the threads their pages and waits until they have ended.
  void Wake();

 private:
  size_t size_;
  char* memory_;
  int fd_;
  std::vector<std::thread> threads_;
};

}  // namespace pf_test

#endif  // TESTS_VM_SLEEPERS_H_
