// SPDX-License-Identifier: Apache-2.0
#include "profile/mapping_faults.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/utf8.h"

namespace pfe {
namespace {

// A mapping loses its place only to one that has this many times its faults.
constexpr double kHysteresis = 2;
// What has fewer late faults is forgotten.
constexpr double kFew = 1;

std::string Cut(const std::string& name) {
  std::string valid = ToValidUtf8(name);
  if (valid.size() <= MappingFaults::kMostNameBytes) return valid;
  return std::string(WithoutCutEnd(std::string_view(valid).substr(
             0, MappingFaults::kMostNameBytes))) +
         "…";
}

}  // namespace

void MappingFaults::Add(const std::string& comm, const std::string& mapping,
                        uint64_t faults, uint64_t stall_ns) {
  // Labels, and not the names themselves, tell sums apart.
  std::pair<std::string, std::string> name = {Cut(comm), Cut(mapping)};
  auto at = known_.find(name);
  if (at == known_.end() && known_.size() < kMostKnown) {
    at = known_.try_emplace(std::move(name)).first;
    if (places_ < max_) {
      at->second.has_place = true;
      ++places_;
    }
  }
  Counts* counts = &other_;
  if (at != known_.end()) {
    at->second.late += static_cast<double>(faults);
    if (at->second.has_place) counts = &at->second.counts;
  }
  counts->faults += faults;
  counts->stall_ns += stall_ns;
}

void MappingFaults::Age(uint64_t now_ns) {
  if (turned_ns_ == 0) return;
  const double factor = std::exp2(-static_cast<double>(now_ns - turned_ns_) /
                                  static_cast<double>(kHalfLifeNs));
  for (auto& [name, known] : known_) known.late *= factor;
  std::erase_if(known_, [now_ns](const auto& item) {
    const Known& known = item.second;
    return !known.has_place && known.late < kFew &&
           now_ns >= known.away_until_ns;
  });
}

void MappingFaults::LosePlace(uint64_t now_ns, Known* known) {
  other_.faults += known->counts.faults;
  other_.stall_ns += known->counts.stall_ns;
  known->counts = {};
  known->has_place = false;
  known->shown_ns = 0;
  known->away_until_ns = now_ns + kAwayNs;
}

void MappingFaults::GivePlaces(uint64_t now_ns) {
  if (known_.size() == places_) return;
  std::vector<Known*> ranked;
  ranked.reserve(known_.size());
  for (auto& [name, known] : known_)
    if (known.has_place || now_ns >= known.away_until_ns)
      ranked.push_back(&known);
  const auto score = [](const Known* known) {
    return known->late * (known->has_place ? kHysteresis : 1);
  };
  const auto end =
      ranked.begin() + static_cast<ptrdiff_t>(std::min(max_, ranked.size()));
  std::nth_element(
      ranked.begin(), end, ranked.end(),
      [&score](const Known* a, const Known* b) { return score(a) > score(b); });
  for (auto at = end; at != ranked.end(); ++at)
    if ((*at)->has_place) LosePlace(now_ns, *at);
  for (auto at = ranked.begin(); at != end; ++at) (*at)->has_place = true;
  places_ = static_cast<size_t>(end - ranked.begin());
}

MappingSums MappingFaults::Turn(uint64_t now_ns) {
  Age(now_ns);
  GivePlaces(now_ns);
  MappingSums sums;
  sums.all.reserve(places_ + 1);
  for (auto& [name, known] : known_) {
    if (!known.has_place) {
      ++sums.omitted;
      continue;
    }
    if (known.shown_ns == 0)
      known.shown_ns = turned_ns_ == 0 ? now_ns : now_ns + hold_ns_;
    MappingSum& sum =
        sums.all.emplace_back(MappingSum{name.first, name.second});
    if (now_ns < known.shown_ns) continue;
    sum.faults = known.counts.faults;
    sum.stall_ns = known.counts.stall_ns;
  }
  sums.all.push_back({kOther, kOther, other_.faults, other_.stall_ns});
  turned_ns_ = now_ns;
  return sums;
}

}  // namespace pfe
