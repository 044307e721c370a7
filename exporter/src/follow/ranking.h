// SPDX-License-Identifier: Apache-2.0
// Finds the first few of many without sorting all.
#ifndef EXPORTER_FOLLOW_RANKING_H_
#define EXPORTER_FOLLOW_RANKING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace pfe {

// How a process ranks: the larger `first` is ahead; if these are equal, the
// larger `second`; then the lower pid.
struct Rank {
  double first = 0;
  double second = 0;
  uint32_t pid = 0;
  uint32_t index = 0;  // of the process

  bool AheadOf(const Rank& other) const {
    if (first != other.first) return first > other.first;
    if (second != other.second) return second > other.second;
    return pid < other.pid;
  }
};

// Keeps the first n of the ranks it is offered, in memory for about 2n.
class FirstN {
 public:
  explicit FirstN(size_t n) : n_(n) {}

  void Offer(const Rank& rank) {
    if (full_ && !rank.AheadOf(last_)) return;
    ranks_.push_back(rank);
    if (ranks_.size() >= 2 * n_ + 16) Cut();
  }

  // Returns the first n, in any order.
  std::vector<Rank> Take() {
    Cut();
    return std::move(ranks_);
  }

 private:
  void Cut() {
    if (ranks_.size() <= n_) return;
    if (n_ == 0) return ranks_.clear();
    std::nth_element(ranks_.begin(),
                     ranks_.begin() + static_cast<ptrdiff_t>(n_ - 1),
                     ranks_.end(),
                     [](const Rank& a, const Rank& b) { return a.AheadOf(b); });
    ranks_.resize(n_);
    last_ = ranks_.back();
    full_ = true;
  }

  const size_t n_;
  std::vector<Rank> ranks_;
  Rank last_;
  bool full_ = false;  // only ranks ahead of last_ can be among the first
};

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_RANKING_H_
