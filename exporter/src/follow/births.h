// SPDX-License-Identifier: Apache-2.0
// Holds back the growth of counters that are new.
#ifndef EXPORTER_FOLLOW_BIRTHS_H_
#define EXPORTER_FOLLOW_BIRTHS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/process_table.h"

namespace pfe {

// Which counters one comm has in /metrics, and how much of each is held back.
//
// Prometheus computes rates from differences between samples. A counter whose
// first sample is 100000 has no difference, so rate() and increase() do not
// include these 100000 faults. Therefore a counter that is new is exported as 0
// until everyone who scrapes has had the time to see it: what it grows
// meanwhile is held back, and is released all at once. The sums themselves are
// not changed by this, so the API shows the full value at once.
//
// A copy costs no allocation unless something is held back.
class Births {
 public:
  // The counters of a comm: faults by cell of the breakdown, then faults by
  // severity of sources without a breakdown, then stall, then slow faults by
  // bound.
  static constexpr size_t kPlain = kBreakdownCells;
  static constexpr size_t kStall = kPlain + kSeverities;
  static constexpr size_t kSlow = kStall + 1;
  static constexpr size_t kCounters = kSlow + kSlowBounds.size();

  bool Has(size_t counter) const { return known_ >> counter & 1; }
  bool HasAny() const { return known_ != 0; }
  // How much of a counter is held back: faults, or nanoseconds.
  uint64_t Held(size_t counter) const {
    return births_.empty() ? 0 : HeldOf(counter);
  }

  // Adds a counter from which nothing is held back, if it is new.
  void Know(size_t counter) { known_ |= 1u << counter; }
  // Notes the growth of a counter. If it is new, it is born at `now_ns`.
  void Grow(size_t counter, uint64_t growth, uint64_t now_ns) {
    if (Has(counter) && births_.empty()) return;
    GrowHeld(counter, growth, now_ns);
  }
  // Releases what was born at `born_ns` or before. Returns whether there was
  // any.
  bool Release(uint64_t born_ns);
  // Moves all births to a later time.
  void Delay(uint64_t ns);

 private:
  struct Birth {
    size_t counter;
    uint64_t born_ns;
    uint64_t held;
  };

  uint64_t HeldOf(size_t counter) const;
  void GrowHeld(size_t counter, uint64_t growth, uint64_t now_ns);

  uint32_t known_ = 0;  // a bit for each counter
  static_assert(kCounters <= 32);
  std::vector<Birth> births_;  // of the counters that are held back
};

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_BIRTHS_H_
