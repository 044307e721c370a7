// SPDX-License-Identifier: Apache-2.0
// Clocks, in nanoseconds, and intervals.
#ifndef EXPORTER_BASE_CLOCK_H_
#define EXPORTER_BASE_CLOCK_H_

#include <time.h>

#include <chrono>
#include <cstdint>

namespace pfe {

// /proc gives the start of a process in clock ticks of this length (proc(5),
// USER_HZ).
inline constexpr uint64_t kProcTickNs = 10000000;

inline uint64_t ClockNs(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u +
         static_cast<uint64_t>(now.tv_nsec);
}

// Nanoseconds since boot, including the time that the machine was suspended.
inline uint64_t BootTimeNs() { return ClockNs(CLOCK_BOOTTIME); }

// Whether an interval has passed since a moment. Then the moment becomes now.
inline bool IsDue(std::chrono::seconds interval,
                  std::chrono::steady_clock::time_point* last) {
  const auto now = std::chrono::steady_clock::now();
  if (now - *last < interval) return false;
  *last = now;
  return true;
}

}  // namespace pfe

#endif  // EXPORTER_BASE_CLOCK_H_
