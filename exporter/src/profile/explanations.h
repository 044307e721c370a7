// SPDX-License-Identifier: Apache-2.0
// Makes explanations for requests.
#ifndef EXPORTER_PROFILE_EXPLANATIONS_H_
#define EXPORTER_PROFILE_EXPLANATIONS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "profile/explainer.h"

namespace pfe {

// Thread safety: all members.
class Explanations {
 public:
  struct Request {
    Selector selector = Selector::OfAll();
    std::chrono::seconds time{10};
    bool with_labels = false;  // see ExplainSettings
  };
  // Samples for some time, or until the function returns true.
  using Explain = std::function<Result<Explanation>(const Request&,
                                                    const Explainer::IsEnded&)>;

  // How many are made at once. Each one has buffers of its own on every CPU.
  static constexpr int kMost = 2;
  // How long none is made after End().
  static constexpr std::chrono::seconds kRest{10};

  explicit Explanations(Explain explain, std::chrono::seconds rest = kRest)
      : explain_(std::move(explain)), rest_(rest) {}

  // Takes as long as the request's time. Returns an error, at once, if kMost
  // are being made or none may be made.
  Result<Explanation> Make(const Request& request);
  // Ends those that are being made: each returns what it has sampled so far.
  // They hold a reference on the module. A scraper would ask for the next one
  // at once, so that the module could not be unloaded: hence the rest.
  void End();
  // The same before the end of the program, which waits for them.
  void EndForGood() { is_over_ = true; }

  // Of all of them: see Explanation.
  uint64_t samples() const { return samples_; }
  uint64_t lost() const { return lost_; }

 private:
  using Clock = std::chrono::steady_clock;

  // Why none may be made now; empty if one may.
  std::string WhyNot(int under_way) const;

  const Explain explain_;
  const std::chrono::seconds rest_;
  std::atomic<int> under_way_ = 0;
  std::atomic<Clock::time_point> rests_until_{Clock::time_point()};
  std::atomic<uint64_t> ends_ = 0;
  std::atomic<bool> is_over_ = false;
  std::atomic<uint64_t> samples_ = 0;
  std::atomic<uint64_t> lost_ = 0;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_EXPLANATIONS_H_
