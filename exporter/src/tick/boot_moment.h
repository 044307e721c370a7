// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_TICK_BOOT_MOMENT_H_
#define EXPORTER_TICK_BOOT_MOMENT_H_

#include <cstdint>

namespace pfe {

// Tells when the machine booted, in nanoseconds since 1970. Adjustments of the
// clock that add up to at most a second do not change the value, so that start
// times are stable. When the clock is set, the value follows.
class BootMoment {
 public:
  // Takes both clocks, read at the same time, and returns the boot time.
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
