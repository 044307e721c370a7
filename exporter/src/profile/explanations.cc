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

void Explanations::End() {
  rests_until_ = Clock::now() + rest_;
  ++ends_;
}

std::string Explanations::WhyNot(int under_way) const {
  if (is_over_) return "the exporter ends";
  if (Clock::now() < rests_until_.load())
    return "the exporter was reloaded: for " + std::to_string(rest_.count()) +
           " s nothing is explained, so that the module can be unloaded";
  if (under_way > kMost)
    return "others ask: " + std::to_string(kMost) +
           " explanations are made at once";
  return "";
}

// What ends after the first line ends this one too.
Result<Explanation> Explanations::Make(const Request& request) {
  const auto is_ended = [this, began = ends_.load()] {
    return ends_ != began || is_over_;
  };
  const Place place(&under_way_);
  if (std::string why = WhyNot(place.now()); !why.empty())
    return Error{Cause::kIo, std::move(why)};
  auto result = explain_(request, is_ended);
  if (result.ok()) {
    samples_ += result.value().samples;
    lost_ += result.value().lost;
  }
  return result;
}

}  // namespace pfe
