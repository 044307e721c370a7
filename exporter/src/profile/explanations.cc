// SPDX-License-Identifier: Apache-2.0
#include "profile/explanations.h"

namespace pfe {
namespace {

// Counts what is under way.
class Place {
 public:
  explicit Place(std::atomic<int>* count) : count_(count), now_(++*count) {}
  ~Place() { --*count_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  int now() const { return now_; }

 private:
  std::atomic<int>* const count_;
  const int now_;
};

}  // namespace

std::optional<Result<Explanation>> Explanations::Make(
    const Selector& selector, std::chrono::seconds time) {
  const Place place(&under_way_);
  if (place.now() > kMost) return std::nullopt;
  auto result = explain_(
      selector, time, [this, began = ends_.load()] { return ends_ != began; });
  if (result.ok()) {
    samples_ += result.value().samples;
    lost_ += result.value().lost;
  }
  return result;
}

}  // namespace pfe
