// SPDX-License-Identifier: Apache-2.0
#include "follow/ranking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace pfe {
namespace {

TEST(FirstN, IsTheFrontOfTheSorted) {
  for (size_t n : {0u, 1u, 7u, 100u, 1000u}) {
    FirstN first(n);
    std::vector<Rank> all;
    for (uint32_t i = 0; i < 500; ++i) {
      all.push_back({static_cast<double>(i * 7919 % 50),
                     static_cast<double>(i * 104729 % 11), i, i});
      first.Offer(all.back());
    }
    const auto ahead = [](const Rank& a, const Rank& b) {
      return a.AheadOf(b);
    };
    std::sort(all.begin(), all.end(), ahead);
    std::vector<Rank> found = first.Take();
    std::sort(found.begin(), found.end(), ahead);
    ASSERT_EQ(found.size(), std::min<size_t>(n, 500));
    for (size_t i = 0; i < found.size(); ++i)
      EXPECT_EQ(found[i].index, all[i].index);
  }
}

}  // namespace
}  // namespace pfe
