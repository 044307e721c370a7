// SPDX-License-Identifier: Apache-2.0
// Sums sampled faults by comm and mapping, for the mappings that have the most.
#ifndef EXPORTER_PROFILE_MAPPING_FAULTS_H_
#define EXPORTER_PROFILE_MAPPING_FAULTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/mapping_sums.h"

namespace pfe {

// At most `max` mappings have sums of their own; the others share the bucket
// "other". A mapping gets the place of another one if it has had more than
// twice as many faults in the last minutes. What that one had counted goes into
// the bucket, so the sum of all never falls; and what a mapping had before it
// got its place stays there. A sum that is new is shown as 0 for a time: see
// Births.
//
// For one thread.
class MappingFaults {
 public:
  // Mappings whose late faults are known. Further ones are counted in the
  // bucket.
  static constexpr size_t kMostKnown = 10000;
  static constexpr size_t kMostNameBytes = 256;  // a longer name is cut
  static constexpr const char* kOther = "other";
  // What lost its place gets none for so long: Prometheus must see that the
  // series ended, because the sum begins anew at 0.
  static constexpr uint64_t kAwayNs = 600'000'000'000;
  // After this time what a mapping had counts half.
  static constexpr uint64_t kHalfLifeNs = 60'000'000'000;

  // `hold_ns`: how long a new sum is shown as 0.
  MappingFaults(size_t max, uint64_t hold_ns) : max_(max), hold_ns_(hold_ns) {}

  void Add(const std::string& comm, const std::string& mapping, uint64_t faults,
           uint64_t stall_ns);
  // Gives places to those that have the most now. `now_ns` is not 0. What the
  // first call finds is not held back.
  MappingSums Turn(uint64_t now_ns);

 private:
  struct Counts {
    uint64_t faults = 0;
    uint64_t stall_ns = 0;
  };
  struct Known {
    Counts counts;    // since it has its place
    double late = 0;  // faults
    bool has_place = false;
    uint64_t shown_ns = 0;       // from then on it is shown; 0: not known yet
    uint64_t away_until_ns = 0;  // it lost its place, and gets none before
  };
  using ByName = std::map<std::pair<std::string, std::string>, Known>;

  void Age(uint64_t now_ns);
  void GivePlaces(uint64_t now_ns);
  void LosePlace(uint64_t now_ns, Known* known);

  const size_t max_;
  const uint64_t hold_ns_;
  ByName known_;
  size_t places_ = 0;  // that are taken
  Counts other_;
  uint64_t turned_ns_ = 0;  // 0: there was no turn yet
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_MAPPING_FAULTS_H_
