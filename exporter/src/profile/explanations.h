// SPDX-License-Identifier: Apache-2.0
// Makes explanations for requests.
#ifndef EXPORTER_PROFILE_EXPLANATIONS_H_
#define EXPORTER_PROFILE_EXPLANATIONS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "profile/explainer.h"

namespace pfe {

// Thread safety: all members.
class Explanations {
 public:
  // Samples for some time, or until the function returns true.
  using Explain = std::function<Result<Explanation>(
      const Selector&, std::chrono::seconds, const Explainer::IsEnded&)>;

  // How many are made at once. Each one has buffers of its own on every CPU.
  static constexpr int kMost = 2;

  explicit Explanations(Explain explain) : explain_(std::move(explain)) {}

  // Takes as long as `time`. Returns nothing, at once, if kMost are being made.
  std::optional<Result<Explanation>> Make(const Selector& selector,
                                          std::chrono::seconds time);
  // Ends those that are being made: each returns what it has sampled so far.
  // They hold a reference on the module, and the program waits for them at its
  // end.
  void End() { ++ends_; }

  // Of all of them: see Explanation.
  uint64_t samples() const { return samples_; }
  uint64_t lost() const { return lost_; }

 private:
  const Explain explain_;
  std::atomic<int> under_way_ = 0;
  std::atomic<uint64_t> ends_ = 0;
  std::atomic<uint64_t> samples_ = 0;
  std::atomic<uint64_t> lost_ = 0;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_EXPLANATIONS_H_
