// SPDX-License-Identifier: Apache-2.0
// By how much the module's counters of some processes grow.
#ifndef EXPORTER_PROFILE_COUNTER_GROWTH_H_
#define EXPORTER_PROFILE_COUNTER_GROWTH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/snapshot.h"
#include "profile/profile.h"
#include "profile/selector.h"

namespace pfe {

// Takes several readings of the table, because it forgets a process a minute
// after its exit.
class CounterGrowth {
 public:
  // The first reading is what the later ones are compared with. The growth from
  // one reading to the next belongs to the process's comm and control group at
  // the next one: a process that comes into a group does not bring its past.
  void Take(const Snapshot& reading, const Selector& selector);

  // More comms are a problem().
  static constexpr size_t kMostComms = 10000;

  const FaultSum& sum() const { return sum_; }
  // Of the comms that have some.
  const std::map<std::string, FaultSum>& by_comm() const { return by_comm_; }
  bool by_kind() const { return offered_.breakdown; }
  bool has_stall() const { return offered_.stall; }
  // Why the sum is not exact; empty if it is.
  const std::string& problem() const { return problem_; }

 private:
  struct Counted {
    std::array<uint64_t, kProfileClasses> faults{};
    uint64_t stall_ns = 0;
    bool operator==(const Counted&) const = default;
  };
  // By pid and start.
  using Counts = std::map<std::pair<uint32_t, uint64_t>, Counted>;

  static Counted CountedOf(const Snapshot& reading, const Process& process);
  void Check(const Snapshot& reading);
  void Add(const std::string& comm, const Counted& before,
           const Counted& after);

  std::optional<uint64_t> epoch_;  // of the readings; nothing before the first
  Offered offered_;
  Counts counts_;         // of all processes, at the last reading
  uint64_t exited_ = 0;   // rows of exited processes then
  int64_t retired_ = 0;   // rows that the module had forgotten then
  int64_t overflow_ = 0;  // faults of processes that had no row then
  FaultSum sum_;
  std::map<std::string, FaultSum> by_comm_;
  std::string problem_;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_COUNTER_GROWTH_H_
