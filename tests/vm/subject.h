// SPDX-License-Identifier: Apache-2.0
// A process under observation. It does one thing and then stands still, while
// the test compares the module's counts with the kernel's.
#ifndef TESTS_VM_SUBJECT_H_
#define TESTS_VM_SUBJECT_H_

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "module.h"

namespace pf_test {

// The figures of a process in /proc.
struct ProcessInfo {
  uint64_t minor = 0;  // minflt and majflt of stat, all threads
  uint64_t major = 0;
  uint64_t vma_kb = 0;      // VmSize of status
  uint64_t rss_kb = 0;      // Rss of smaps_rollup
  uint64_t anon_kb = 0;     // Anonymous of smaps_rollup
  uint64_t swap_kb = 0;     // VmSwap of status
  uint64_t hugetlb_kb = 0;  // HugetlbPages of status
  bool exists = false;
};
ProcessInfo ReadProcess(pid_t pid);

// A line of /proc/meminfo, in kB; 0 if there is none.
uint64_t MemInfo(const std::string& key);

// A child process that runs `prepare` and stands still, runs `act` when it is
// told to and stands still again, until it is told to end.
class Subject {
 public:
  using Work = std::function<void()>;

  explicit Subject(Work act) : Subject([] {}, std::move(act)) {}
  Subject(const Work& prepare, const Work& act);
  ~Subject();
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  pid_t pid() const { return pid_; }
  // Lets the child run `act`; returns when it stands still again.
  void Act();
  // Lets the child end; returns its own resource usage (wait4).
  rusage End();

 private:
  void WaitUntilStill();

  pid_t pid_;
  int to_child_;
  int from_child_;
  bool ended_ = false;
};

// Runs `work` in a child, waits for it and returns its resource usage.
struct Ended {
  pid_t pid;
  int status;
  rusage usage;
};
Ended RunToEnd(const std::function<void()>& work);

// Compares the row of a live process, which started after the module was
// loaded, with the kernel's accounting. Returns the difference, empty if there
// is none.
std::string RowError(pid_t pid);
// The same for a child that has ended; its accounting is from wait4().
std::string EndedRowError(const Ended& ended);

// Waits until the condition holds, and returns whether it did within 5 minutes:
// so long that no test fails because its guest is slow.
bool Eventually(const std::function<bool()>& condition);

}  // namespace pf_test

#endif  // TESTS_VM_SUBJECT_H_
