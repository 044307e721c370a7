// SPDX-License-Identifier: Apache-2.0
// Encodes a profile as pprof's protocol buffer (github.com/google/pprof,
// proto/profile.proto).
#ifndef EXPORTER_PROFILE_PPROF_H_
#define EXPORTER_PROFILE_PPROF_H_

#include <cstdint>
#include <string>
#include <vector>

#include "profile/labelled_profile.h"

namespace pfe {

struct PprofTime {
  uint64_t unix_ns = 0;  // of its begin
  uint64_t duration_ns = 0;
};

// Not compressed. A sample has the values faults/count and stall/nanoseconds,
// and the labels comm, mapping, severity, access, kind and cgroup, as far as
// they are known. Locations are offsets in files, and have the names of
// functions. `comments` are sentences that say what limits the profile.
std::string EncodePprof(const LabelledProfile& profile, const PprofTime& time,
                        const std::vector<std::string>& comments);

}  // namespace pfe

#endif  // EXPORTER_PROFILE_PPROF_H_
