// SPDX-License-Identifier: Apache-2.0
#include "profile/profile.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pfe {
namespace {

// By how much the sampled faults of each class are multiplied.
struct Factors {
  std::array<double, kProfileClasses> faults{};
  double stall = 0;

  void Apply(FaultSum* sum) const {
    for (size_t i = 0; i < kProfileClasses; ++i) sum->faults[i] *= faults[i];
    sum->stall_seconds *= stall;
  }
};

double OfSeverity(const FaultSum& sum, size_t severity) {
  const auto begin =
      sum.faults.begin() + static_cast<ptrdiff_t>(ProfileClass(severity, 0));
  return std::accumulate(begin, begin + kProfileKinds, 0.0);
}

}  // namespace

double FaultSum::total() const {
  return std::accumulate(faults.begin(), faults.end(), 0.0);
}

double FaultSum::major() const { return OfSeverity(*this, 1); }

FaultSum& FaultSum::operator+=(const FaultSum& other) {
  for (size_t i = 0; i < kProfileClasses; ++i) faults[i] += other.faults[i];
  stall_seconds += other.stall_seconds;
  samples += other.samples;
  squares += other.squares;
  return *this;
}

FaultSum SumOf(const FaultSample& sample) {
  const auto faults = static_cast<double>(sample.weight);
  FaultSum sum;
  sum.faults[ProfileClass(sample.severity, sample.kind)] = faults;
  sum.stall_seconds = faults * static_cast<double>(sample.ns) / 1e9;
  sum.samples = 1;
  sum.squares = faults * faults;
  return sum;
}

double EffectiveSamples(const FaultSum& sum) {
  const double faults = sum.total();
  return sum.squares > 0 ? faults * faults / sum.squares : 0;
}

void Profile::Add(const FaultSum& sum, const std::string& mapping,
                  const std::vector<std::string>& functions) {
  total_ += sum;
  mappings_[mapping] += sum;
  functions_[functions.front()] += sum;
  std::string path;
  for (const std::string& function : functions) {
    if (!path.empty()) path += kPathSeparator;
    path += function;
  }
  paths_[path] += sum;
}

FaultSum Profile::Scale(const Exact& exact) {
  Factors factors;
  FaultSum unsampled;
  for (size_t severity = 0; severity < kSeverities; ++severity) {
    for (size_t kind = 0; kind < kProfileKinds; ++kind) {
      const size_t i = ProfileClass(severity, kind);
      const double truth =
          exact.by_kind ? exact.sum.faults[i] : OfSeverity(exact.sum, severity);
      const double sampled =
          exact.by_kind ? total_.faults[i] : OfSeverity(total_, severity);
      if (sampled > 0)
        factors.faults[i] = truth / sampled;
      else if (exact.by_kind || kind == kKinds)
        unsampled.faults[i] = truth;
    }
  }
  if (exact.stall && total_.stall_seconds > 0)
    factors.stall = exact.sum.stall_seconds / total_.stall_seconds;
  else if (exact.stall)
    unsampled.stall_seconds = exact.sum.stall_seconds;
  factors.Apply(&total_);
  for (Sums* sums : {&mappings_, &functions_, &paths_})
    for (auto& [name, sum] : *sums) factors.Apply(&sum);
  return unsampled;
}

std::vector<NamedSum> Profile::Sorted(const Sums& sums) {
  std::vector<NamedSum> sorted;
  sorted.reserve(sums.size());
  for (const auto& [name, sum] : sums) sorted.push_back({name, sum});
  std::sort(sorted.begin(), sorted.end(),
            [](const NamedSum& a, const NamedSum& b) {
              const double left = a.sum.total(), right = b.sum.total();
              return left != right ? left > right : a.name < b.name;
            });
  return sorted;
}

double ErrorOfShare(double share, double samples) {
  if (samples <= 0) return 1;
  return 1.96 * std::sqrt(share * (1 - share) / samples);
}

}  // namespace pfe
