// SPDX-License-Identifier: Apache-2.0
// The clock that starts of processes are given in, and when it began.
#ifndef EXPORTER_BOOT_TIME_H_
#define EXPORTER_BOOT_TIME_H_

#include <time.h>

#include <cstdint>

namespace pfe {

// How exactly /proc tells a start: one clock tick (proc(5), USER_HZ).
inline constexpr uint64_t kProcTickNs = 10000000;

inline uint64_t ClockNs(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u +
         static_cast<uint64_t>(now.tv_nsec);
}

// Nanoseconds since boot, suspends included.
inline uint64_t BootTimeNs() { return ClockNs(CLOCK_BOOTTIME); }

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

#endif  // EXPORTER_BOOT_TIME_H_
