// SPDX-License-Identifier: Apache-2.0
#include "follow/sums.h"

#include <algorithm>
#include <utility>

namespace pfe {
namespace {

// How many omitted names are remembered, in order to count them. Any user can
// invent names, so there must be a limit.
constexpr size_t kMostOmitted = 100000;

}  // namespace

Sums::Sums(size_t max, bool by_cell) : by_cell_(by_cell), max_(max) {
  auto all = recycler_.Take();
  // A program that is named "other" is counted in the bucket too, so that no
  // label set is exported twice.
  all->emplace_back().name = "other";
  all_ = std::move(all);
  IndexNames();
}

void Sums::IndexNames() {
  index_.clear();
  for (uint32_t i = 0; i < all_->size(); ++i)
    index_.emplace((*all_)[i].name, i);
}

void Sums::Begin(uint64_t now_ns, const Offered& offered, bool interrupted) {
  // The last tick was not committed: index_ does not match all_.
  if (under_way_) IndexNames();
  under_way_ = true;
  now_ns_ = now_ns;
  offered_ = offered;
  released_ = placed_ = full_ = false;
  next_ = recycler_.Take();
  *next_ = *all_;
  if (first_) next_->at(kOther).created_ns = now_ns;
  for (NamedSums& sums : *next_) {
    sums.growth = {};
    sums.processes = sums.vma_kb = sums.rss_kb = sums.swap_kb = 0;
    if (interrupted) sums.births.Delay(now_ns_ - last_ns_);
    // A counter must have been 0 for the whole hold. So the tick in which the
    // hold has passed still shows 0, and the next one shows the full value.
    if (last_ns_ >= hold_ns_)
      released_ |= sums.births.Release(last_ns_ - hold_ns_);
  }
}

uint32_t Sums::ToOther(std::string_view name) {
  const size_t hash = TextHash()(name);
  const auto found = omitted_.find(hash);
  if (found != omitted_.end())
    found->second = now_ns_;
  else if (omitted_.size() < kMostOmitted)
    omitted_.emplace(hash, now_ns_);
  return kOther;
}

// Adds what an idle name has counted to the bucket. What metrics have already
// shown of it is not held back again: the sum of what they show does not fall.
void Sums::MoveToOther(const NamedSums& from) {
  NamedSums& other = (*next_)[kOther];
  other.counters += from.counters;
  for (size_t cell = 0; cell < kBreakdownCells; ++cell)
    other.breakdown[cell] += from.breakdown[cell];
  for (size_t s = 0; s < kSeverities; ++s) other.plain[s] += from.plain[s];
  for (size_t i = 0; i < from.slow.size(); ++i) other.slow[i] += from.slow[i];
  for (size_t counter = 0; counter < Births::kCounters; ++counter)
    if (from.births.Has(counter))
      Grow(counter, from.births.Held(counter), &other);
}

// Finds the place of an idle name. Returns its index, or kOther if there is
// none.
uint32_t Sums::FindIdlePlace() {
  if (full_) return kOther;
  // A name that had a process in the tick before is not idle, however long ago
  // that was: the row of this process may come later in this tick.
  const auto idle =
      std::find_if(next_->begin() + 1, next_->end(), [this](const auto& sums) {
        return sums.processes == 0 && sums.active_ns < last_ns_ &&
               (sums.active_ns + kIdleNs < now_ns_ ||
                sums.active_ns <= released_until_ns_);
      });
  full_ = idle == next_->end();
  return full_ ? kOther : static_cast<uint32_t>(idle - next_->begin());
}

uint32_t Sums::PlaceOf(std::string_view name) {
  const auto found = index_.find(name);
  if (found != index_.end()) return found->second;
  auto place = static_cast<uint32_t>(next_->size());
  if (next_->size() <= max_) {
    next_->emplace_back();
  } else {
    place = FindIdlePlace();
    if (place == kOther) return ToOther(name);
    index_.erase((*next_)[place].name);
    MoveToOther((*next_)[place]);
    (*next_)[place] = NamedSums();
  }
  (*next_)[place].name = name;
  (*next_)[place].created_ns = now_ns_;
  placed_ = true;
  index_.emplace(name, place);
  omitted_.erase(TextHash()(name));
  return place;
}

// Notes the growth of a counter, which is added to the sums elsewhere.
void Sums::Grow(size_t counter, uint64_t growth, NamedSums* sums) const {
  if (first_ || hold_ns_ == 0)
    sums->births.Know(counter);
  else
    sums->births.Grow(counter, growth, now_ns_);
}

// The counters that processes had before the first tick exist from then on.
// So a restart of the exporter does not hold back what all processes do next.
void Sums::KnowCounters(const Process& process, NamedSums* sums) const {
  for (size_t i = 0; i < kSlowBounds.size(); ++i)
    if (process.slow_bits >> i & 1) sums->births.Know(Births::kSlow + i);
  if (ByCell())
    return ForEachCell(process.cells,
                       [sums](size_t cell) { sums->births.Know(cell); });
  if (process.minor) sums->births.Know(Births::kPlain);
  if (process.major) sums->births.Know(Births::kPlain + 1);
}

uint32_t Sums::Add(const Process& process, std::string_view name,
                   uint32_t place, const RowGrowth& growth) {
  // The name of a process in the bucket may have got a place of its own.
  if (place == kOther) place = PlaceOf(name);
  AddAt(place, process, growth);
  return place;
}

void Sums::AddAt(uint32_t place, const Process& process,
                 const RowGrowth& growth) {
  NamedSums& sums = (*next_)[place];
  sums.active_ns = now_ns_;
  if (process.live) {
    ++sums.processes;
    sums.vma_kb += process.vma_kb;
    sums.rss_kb += process.rss_kb;
    sums.swap_kb += process.swap_kb;
  }
  const Counters& counters = growth.counters;
  if (first_) KnowCounters(process, &sums);
  if (offered_.stall) Grow(Births::kStall, counters.stall_ns, &sums);
  for (size_t i = 0; i < growth.slow.size(); ++i) {
    if (!growth.slow[i]) continue;
    sums.slow[i] += growth.slow[i];
    Grow(Births::kSlow + i, growth.slow[i], &sums);
  }
  if (!counters.faults && !counters.stall_ns) return;
  sums.counters += counters;
  sums.growth += counters;
  if (ByCell()) {
    ForEachCell(growth.cells, [&](size_t cell) {
      sums.breakdown[cell] += growth.by_cell[cell];
      Grow(cell, growth.by_cell[cell], &sums);
    });
    return;
  }
  const uint64_t by_severity[kSeverities] = {counters.minor, counters.major};
  for (size_t s = 0; s < kSeverities; ++s) {
    if (!by_severity[s]) continue;
    sums.plain[s] += by_severity[s];
    Grow(Births::kPlain + s, by_severity[s], &sums);
  }
}

void Sums::Commit() noexcept {
  all_ = std::move(next_);
  last_ns_ = now_ns_;
  under_way_ = first_ = false;
  std::erase_if(omitted_, [this](const auto& item) {
    return item.second + kIdleNs < now_ns_;
  });
}

HeldBack HeldBackOf(const Sums::All& all) {
  HeldBack held;
  for (const NamedSums& sums : all) {
    for (size_t counter = 0; counter < Births::kStall; ++counter)
      held.faults += sums.births.Held(counter);
    held.stall_ns += sums.births.Held(Births::kStall);
    for (size_t i = 0; i < kSlowBounds.size(); ++i)
      held.slow[i] += sums.births.Held(Births::kSlow + i);
  }
  return held;
}

}  // namespace pfe
