// SPDX-License-Identifier: Apache-2.0
// Waits for another thread. The wait ends with the event, or fails after some
// minutes.
#ifndef TESTS_UNIT_WAIT_H_
#define TESTS_UNIT_WAIT_H_

#include <chrono>
#include <functional>
#include <stdexcept>
#include <thread>

namespace pfe {

inline constexpr std::chrono::minutes kLongestWait{5};

// Returns once `condition` holds; throws, which fails the test, if it does not
// within kLongestWait.
inline void WaitUntil(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kLongestWait;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error("the condition did not hold within 5 minutes");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace pfe

#endif  // TESTS_UNIT_WAIT_H_
