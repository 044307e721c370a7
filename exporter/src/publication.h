// SPDX-License-Identifier: Apache-2.0
// What a tick leaves for scrapes: rendered once, shared, never changed.
#ifndef EXPORTER_PUBLICATION_H_
#define EXPORTER_PUBLICATION_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "result.h"
#include "snapshot.h"

namespace pfe {

struct Publication {
  using Clock = std::chrono::steady_clock;

  std::string source;  // its name
  // The per-process families; empty when the last read failed: values of
  // processes that may have gone are not served.
  std::shared_ptr<const std::string> text;
  std::shared_ptr<const std::string> gzip;
  // Of the last good read, also while reads fail; absent before the first.
  std::optional<Clock::time_point> read_at;
  Stats stats;            // of the last read, empty if it failed
  size_t processes = 0;   // live ones in the last read
  std::optional<Error> error;  // of the last read
  std::array<uint64_t, kCauseNames.size()> errors{};  // since start, by Cause
  uint64_t ticks = 0;
  double tick_seconds = 0;  // the last one's duration
};

}  // namespace pfe

#endif  // EXPORTER_PUBLICATION_H_
