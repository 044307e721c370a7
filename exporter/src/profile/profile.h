// SPDX-License-Identifier: Apache-2.0
// Sums of sampled faults by mapping, by function and by call path, scaled to
// exact counts.
#ifndef EXPORTER_PROFILE_PROFILE_H_
#define EXPORTER_PROFILE_PROFILE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/process_table.h"
#include "profile/record.h"

namespace pfe {

// Faults by severity and kind; the last kind is "not known".
inline constexpr size_t kProfileKinds = kKinds + 1;
inline constexpr size_t kProfileClasses = kSeverities * kProfileKinds;

constexpr size_t ProfileClass(size_t severity, size_t kind) {
  return severity * kProfileKinds + kind;
}

// What samples, or exact counters, say of some faults.
struct FaultSum {
  std::array<double, kProfileClasses> faults{};
  double stall_seconds = 0;
  uint64_t samples = 0;
  // The sum of the squares of the samples' weights: see EffectiveSamples().
  double squares = 0;

  double total() const;
  double major() const;
  FaultSum& operator+=(const FaultSum& other);
};

// What one sample says.
FaultSum SumOf(const FaultSample& sample);

// How many samples of equal weight are as certain as these (Kish, Survey
// Sampling, 1965). Of faults that are not scaled.
double EffectiveSamples(const FaultSum& sum);

// What is between two functions in the name of a call path. No name contains
// it.
inline constexpr char kPathSeparator = '\0';

// A sum with its name.
struct NamedSum {
  std::string name;
  FaultSum sum;
};

class Profile {
 public:
  // `mapping` names what the address is in; `functions` names the frames of the
  // call path, the innermost first; there is one at least.
  void Add(const FaultSum& sum, const std::string& mapping,
           const std::vector<std::string>& functions);

  // What Scale() needs to know.
  struct Exact {
    FaultSum sum;
    bool by_kind = false;  // else the faults are in the last kind
    bool stall = false;
  };
  // Multiplies the sums so that their totals are the exact ones, in each class
  // that has a sample. Returns what has none: it is in no sum.
  FaultSum Scale(const Exact& exact);

  uint64_t samples() const { return total_.samples; }
  const FaultSum& total() const { return total_; }
  // Ordered by faults, most first.
  std::vector<NamedSum> mappings() const { return Sorted(mappings_); }
  std::vector<NamedSum> functions() const { return Sorted(functions_); }
  std::vector<NamedSum> paths() const { return Sorted(paths_); }

 private:
  using Sums = std::unordered_map<std::string, FaultSum>;

  static std::vector<NamedSum> Sorted(const Sums& sums);

  FaultSum total_;
  Sums mappings_, functions_, paths_;
};

// The half width of the interval that has a share with 95 % probability, if
// `samples` were taken of which the share is `share`; both are parts of 1.
double ErrorOfShare(double share, double samples);

}  // namespace pfe

#endif  // EXPORTER_PROFILE_PROFILE_H_
