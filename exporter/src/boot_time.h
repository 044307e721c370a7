// SPDX-License-Identifier: Apache-2.0
// The clock that starts of processes are given in.
#ifndef EXPORTER_BOOT_TIME_H_
#define EXPORTER_BOOT_TIME_H_

#include <time.h>

#include <cstdint>

namespace pfe {

inline uint64_t ClockNs(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u +
         static_cast<uint64_t>(now.tv_nsec);
}

// Nanoseconds since boot, suspends included.
inline uint64_t BootTimeNs() { return ClockNs(CLOCK_BOOTTIME); }

}  // namespace pfe

#endif  // EXPORTER_BOOT_TIME_H_
