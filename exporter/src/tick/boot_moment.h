// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_TICK_BOOT_MOMENT_H_
#define EXPORTER_TICK_BOOT_MOMENT_H_

#include <cstdint>

namespace pfe {

// When the machine booted, since 1970. Kept while the clock is only adjusted,
// so that start times do not flap; a clock that is set moves it.
class BootMoment {
 public:
  // Both clocks, read at the same time.
  uint64_t Note(uint64_t realtime_ns, uint64_t boot_time_ns) {
    const uint64_t now = realtime_ns - boot_time_ns;
    const uint64_t apart = now > ns_ ? now - ns_ : ns_ - now;
    if (apart > kAdjustedNs) ns_ = now;
    return ns_;
  }

 private:
  static constexpr uint64_t kAdjustedNs = 1000000000;

  uint64_t ns_ = 0;
};

}  // namespace pfe

#endif  // EXPORTER_TICK_BOOT_MOMENT_H_
