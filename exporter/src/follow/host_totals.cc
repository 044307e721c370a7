// SPDX-License-Identifier: Apache-2.0
#include "follow/host_totals.h"

#include <algorithm>
#include <utility>

namespace pfe {
namespace {

// Adds the histogram of earlier loads. If the module has other bounds now, the
// histogram starts again.
void AddLatency(const Latency& before, Latency* now) {
  if (before.bounds_ns != now->bounds_ns) return;
  for (size_t s = 0; s < kSeverities; ++s) {
    const Histogram& from = before.severities[s];
    Histogram& to = now->severities[s];
    for (size_t i = 0; i < from.counts.size(); ++i)
      to.counts[i] += from.counts[i];
    to.count += from.count;
    to.sum_ns += from.sum_ns;
  }
}

// Raises each number to that of the last tick: what is exported never falls.
void KeepUp(const Latency& last, Latency* now) {
  if (last.bounds_ns != now->bounds_ns) return;
  for (size_t s = 0; s < kSeverities; ++s) {
    const Histogram& from = last.severities[s];
    Histogram& to = now->severities[s];
    for (size_t i = 0; i < from.counts.size(); ++i)
      to.counts[i] = std::max(to.counts[i], from.counts[i]);
    to.count = std::max(to.count, from.count);
    to.sum_ns = std::max(to.sum_ns, from.sum_ns);
  }
}

}  // namespace

void HostTotals::Update(const Snapshot& snapshot, const Tick& tick) {
  UpdateUnattributed(snapshot, tick);
  if (snapshot.module) UpdateCounters(snapshot);
}

// The module counts the faults of rows that it drops and of processes that find
// no room. Faults that an earlier tick showed in a row that is gone now are
// attributed to its process, so they are subtracted.
void HostTotals::UpdateUnattributed(const Snapshot& snapshot,
                                    const Tick& tick) {
  // Unsigned, so that no value of the file can overflow.
  const auto number = [&snapshot](ModuleNumber of) {
    return static_cast<uint64_t>(
        snapshot.module ? (*snapshot.module)[of].value_or(0) : 0);
  };
  const uint64_t dropped = number(ModuleNumber::kRetiredFaults) +
                           number(ModuleNumber::kOverflowFaults);
  gone_faults_ += tick.gone_faults;
  if (tick.new_source) {
    unattributed_before_ = unattributed_;
    gone_faults_ = 0;
    unattributed_base_ = !tick.first || !tick.count_first ? dropped : 0;
  }
  const auto now =
      static_cast<int64_t>(dropped - unattributed_base_ - gone_faults_);
  if (now > 0)
    unattributed_ = std::max(unattributed_,
                             unattributed_before_ + static_cast<uint64_t>(now));
}

void HostTotals::UpdateCounters(const Snapshot& snapshot) {
  // The epoch is compared with that of the module's last snapshot, because
  // another source may have been read in between.
  if (snapshot.epoch != load_) {
    counters_before_ = counters_;
    latency_before_ = latency_;
    load_ = snapshot.epoch;
  }
  for (size_t i = 0; i < counters_.size(); ++i)
    if (snapshot.host[i])
      counters_[i] =
          std::max(counters_[i].value_or(0),
                   *snapshot.host[i] + counters_before_[i].value_or(0));
  // With latency=0 the module offers no histogram: the last one stays.
  if (snapshot.latency.bounds_ns.empty()) return;
  Latency now = snapshot.latency;
  AddLatency(latency_before_, &now);
  KeepUp(latency_, &now);
  latency_ = std::move(now);
}

}  // namespace pfe
