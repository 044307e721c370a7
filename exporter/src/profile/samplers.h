// SPDX-License-Identifier: Apache-2.0
// The perf events that are opened on each CPU (perf_event_open(2)).
#ifndef EXPORTER_PROFILE_SAMPLERS_H_
#define EXPORTER_PROFILE_SAMPLERS_H_

#include <linux/perf_event.h>
#include <time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "profile/record.h"

namespace pfe {

// The clock of the records' times.
inline constexpr clockid_t kSampleClock = CLOCK_MONOTONIC;

// How far samples are thinned out: each level gives about a sixteenth of the
// samples of the one before. Of a sampler's events one is enabled at a time.
inline constexpr size_t kSampleLevels = 3;

// An event that samples faults.
struct Sampler {
  perf_event_attr attr;
  EventKind kind;
  size_t level = 0;
};

// Samples the module's trace event, if its id is given, else the kernel's own
// page-fault events. Those of the first level are enabled. With `stacks` a
// sample has what a call path is unwound from.
std::vector<Sampler> Samplers(std::optional<uint64_t> module_event,
                              bool call_paths, bool stacks = false);

// Tells what processes map and how they are called, and samples nothing.
perf_event_attr TaskEvent();

}  // namespace pfe

#endif  // EXPORTER_PROFILE_SAMPLERS_H_
