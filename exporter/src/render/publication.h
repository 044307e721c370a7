// SPDX-License-Identifier: Apache-2.0
// What a tick leaves for scrapes: rendered once, shared, never changed.
#ifndef EXPORTER_RENDER_PUBLICATION_H_
#define EXPORTER_RENDER_PUBLICATION_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/snapshot.h"
#include "render/exposition.h"

namespace pfe {

struct Publication {
  using Clock = std::chrono::steady_clock;

  std::string source;  // where the values come from, or should
  // The families of processes and comms; empty when the last read failed:
  // values of processes that may have gone are not served.
  RenderedFamilies families;
  // Of the last good read, also while reads fail; absent before the first.
  std::optional<Clock::time_point> read_at;
  HostCounters host;                  // of the last read, empty if it failed
  std::optional<ModuleStats> module;  // likewise
  Latency latency;                    // likewise
  uint64_t boot_unix_ns = 0;
  uint64_t unattributed = 0;
  size_t processes = 0;  // live ones in the last read
  size_t processes_omitted = 0;
  size_t comms_omitted = 0;
  std::optional<Error> error;   // of the last read
  std::optional<Error> reason;  // why the preferred source could not be read
  std::array<uint64_t, kCauseNames.size()> errors{};  // since start, by Cause
  uint64_t ticks = 0;
  double tick_seconds = 0;      // the last one's duration
  double tick_cpu_seconds = 0;  // of all ticks
};

}  // namespace pfe

#endif  // EXPORTER_RENDER_PUBLICATION_H_
