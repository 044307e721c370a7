// SPDX-License-Identifier: Apache-2.0
#include "follow/row_name_sums.h"

namespace pfe {
namespace {

constexpr uint32_t kNoPlace = UINT32_MAX;

}  // namespace

void RowNameSums::SetMax(size_t max, bool by_cell, bool late) {
  if (max == 0) {
    sums_.reset();
  } else if (sums_) {
    sums_->set_max(max);
  } else {
    sums_.emplace(max, by_cell);
    sums_->set_birth_hold(birth_hold_ns_);
    late_ = late;
  }
}

void RowNameSums::SetBirthHold(uint64_t ns) {
  birth_hold_ns_ = ns;
  if (sums_) sums_->set_birth_hold(ns);
}

bool RowNameSums::Begin(uint64_t now_ns, const Offered& offered,
                        bool interrupted) {
  if (!sums_) return false;
  sums_->Begin(now_ns, offered, interrupted);
  return sums_->released();
}

void RowNameSums::Add(const Process& process, const RowNames& names,
                      uint32_t row, const RowGrowth& growth) {
  static const RowGrowth kNone = [] {
    RowGrowth none{};
    none.Clear();
    return none;
  }();
  if (row == 0) places_.assign(names.names.size(), kNoPlace);
  const uint32_t name = names.of_row[row];
  uint32_t& place = places_[name];
  if (place == kNoPlace) place = sums_->PlaceOf(names.names[name]);
  sums_->AddAt(place, process, late_ ? kNone : growth);
}

void RowNameSums::Commit() noexcept {
  if (!sums_) return;
  sums_->Commit();
  late_ = false;
}

}  // namespace pfe
