// SPDX-License-Identifier: Apache-2.0
// Sums by a name that each row has besides its comm. They can be switched on
// and off between ticks.
#ifndef EXPORTER_FOLLOW_ROW_NAME_SUMS_H_
#define EXPORTER_FOLLOW_ROW_NAME_SUMS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/process_table.h"
#include "base/row_names.h"
#include "base/snapshot.h"
#include "follow/counters.h"
#include "follow/sums.h"

namespace pfe {

class RowNameSums {
 public:
  // With 0 there are no sums. `by_cell`: see Sums; it applies to sums that
  // begin after the call. `late`: ticks have passed, so the sums begin at 0 in
  // the next one.
  void SetMax(size_t max, bool by_cell, bool late);
  void SetBirthHold(uint64_t ns);
  void ReleasePlaces() {
    if (sums_) sums_->ReleasePlaces();
  }

  // Null if there are none.
  const Sums* get() const { return sums_ ? &*sums_ : nullptr; }

  // Starts a tick. Returns whether it released growth that was held back.
  bool Begin(uint64_t now_ns, const Offered& offered, bool interrupted);
  // Adds the growth of a row, in the order of the rows.
  void Add(const Process& process, const RowNames& names, uint32_t row,
           const RowGrowth& growth);
  void Commit() noexcept;

 private:
  std::optional<Sums> sums_;
  uint64_t birth_hold_ns_ = 0;
  bool late_ = false;
  std::vector<uint32_t> places_;  // by name, in this tick
};

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_ROW_NAME_SUMS_H_
