// SPDX-License-Identifier: Apache-2.0
// Snapshots for tests, and a source that gives them.
#ifndef TESTS_UNIT_SAMPLES_H_
#define TESTS_UNIT_SAMPLES_H_

#include <deque>
#include <string>
#include <utility>

#include "source.h"

namespace pfe {

inline constexpr uint64_t kSecond = 1000000000;

inline Process Live(uint64_t pid, uint64_t start_ns, const std::string& comm,
                    uint64_t faults) {
  Process process;
  process.pid = pid;
  process.start_ns = start_ns;
  process.live = true;
  process.comm = comm;
  process.faults = process.minor = faults;
  process.vma_kb = 10;
  process.rss_kb = 5;
  return process;
}

inline Process Exited(uint64_t pid, uint64_t start_ns, const std::string& comm,
                      uint64_t faults) {
  Process process = Live(pid, start_ns, comm, faults);
  process.live = false;
  process.vma_kb = process.rss_kb = 0;
  return process;
}

inline Snapshot Of(std::vector<Process> processes,
                   const std::string& source = "module", uint64_t epoch = 1) {
  static uint64_t clock = 1000 * kSecond;
  Snapshot snapshot;
  snapshot.source = source;
  snapshot.epoch = epoch;
  snapshot.read_ns = clock += kSecond;
  snapshot.processes = std::move(processes);
  return snapshot;
}

// Gives the results it was told to, then repeats the last one.
class FakeSource : public Source {
 public:
  const char* Name() const override { return "module"; }
  Result<Snapshot> Read() override {
    Result<Snapshot> result = results_.front();
    if (results_.size() > 1) results_.pop_front();
    return result;
  }
  void Then(Result<Snapshot> result) { results_.push_back(std::move(result)); }

 private:
  std::deque<Result<Snapshot>> results_;
};

}  // namespace pfe

#endif  // TESTS_UNIT_SAMPLES_H_
