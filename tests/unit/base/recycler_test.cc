// SPDX-License-Identifier: Apache-2.0
#include "base/recycler.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace pfe {
namespace {

TEST(Recycler, GivesOutAgainWhatNobodyHolds) {
  Recycler<std::vector<int>> recycler;
  auto first = recycler.Take();
  first->assign(100, 7);
  const std::vector<int>* const memory = first.get();
  const auto second = recycler.Take();
  EXPECT_NE(second.get(), memory) << "the first one is still shared";
  first.reset();
  first = recycler.Take();
  EXPECT_EQ(first.get(), memory);
  EXPECT_EQ(first->size(), 100u);
}

TEST(Recycler, ReferencesMayGoInAnyThreadAndLater) {
  std::shared_ptr<std::vector<int>> kept;
  {
    Recycler<std::vector<int>> recycler;
    for (int i = 0; i < 1000; ++i) {
      auto object = recycler.Take();
      std::thread([other = std::move(object)]() mutable {
        other.reset();
      }).join();
    }
    kept = recycler.Take();
    recycler.Forget();
  }
  kept->push_back(1);
}

}  // namespace
}  // namespace pfe
