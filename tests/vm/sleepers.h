// SPDX-License-Identifier: Apache-2.0
// Threads asleep inside a fault: they wait for userfaultfd.
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

  // From now on they run on one CPU only, where they will complete their
  // faults; whether all can.
  bool MoveTo(int cpu);
  // Gives them their pages and waits for their end.
  void Wake();

 private:
  size_t size_;
  char* memory_;
  int fd_;
  std::vector<std::thread> threads_;
};

}  // namespace pf_test

#endif  // TESTS_VM_SLEEPERS_H_
