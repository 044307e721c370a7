// SPDX-License-Identifier: Apache-2.0
#include "profile/explanations.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace pfe {
namespace {

// Samples until it is ended.
Result<Explanation> Wait(std::atomic<int>* begun,
                         const Explainer::IsEnded& is_ended) {
  ++*begun;
  while (!is_ended()) std::this_thread::yield();
  Explanation explanation;
  explanation.samples = 7;
  explanation.lost = 1;
  return explanation;
}

TEST(Explanations, AreAFewAtOnceAndCanBeEnded) {
  std::atomic<int> begun = 0;
  Explanations explanations(
      [&](const Explanations::Request&, const Explainer::IsEnded& is_ended) {
        return Wait(&begun, is_ended);
      },
      std::chrono::seconds(0));
  const auto make = [&] { return explanations.Make({}); };
  std::vector<std::thread> threads;
  for (int i = 0; i < Explanations::kMost; ++i)
    threads.emplace_back([&] { EXPECT_TRUE(make().ok()); });
  while (begun < Explanations::kMost) std::this_thread::yield();
  EXPECT_EQ(make().error().message,
            "others ask: 2 explanations are made at once");
  explanations.End();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(explanations.samples(), 7u * Explanations::kMost);
  EXPECT_EQ(explanations.lost(), 1u * Explanations::kMost);
  // One that begins now is not ended.
  std::thread next([&] { EXPECT_TRUE(make().ok()); });
  while (begun < Explanations::kMost + 1) std::this_thread::yield();
  explanations.End();
  next.join();
}

TEST(Explanations, AnErrorGivesItsPlaceBack) {
  Explanations explanations(
      [](const Explanations::Request&,
         const Explainer::IsEnded&) -> Result<Explanation> {
        return Error{Cause::kNoPermission, "no"};
      });
  for (int i = 0; i < 3 * Explanations::kMost; ++i) {
    const auto made = explanations.Make({});
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().message, "no");
  }
}

TEST(Explanations, RestAfterTheyWereEnded) {
  Explanations explanations(
      [](const Explanations::Request&, const Explainer::IsEnded&) {
        return Explanation();
      },
      std::chrono::seconds(3600));
  const auto make = [&] { return explanations.Make({}); };
  EXPECT_TRUE(make().ok());
  explanations.End();
  EXPECT_EQ(make().error().message,
            "the exporter was reloaded: for 3600 s nothing is explained, so "
            "that the module can be unloaded");
}

TEST(Explanations, AreEndedForGood) {
  std::atomic<int> begun = 0;
  Explanations explanations(
      [&](const Explanations::Request&, const Explainer::IsEnded& is_ended) {
        return Wait(&begun, is_ended);
      });
  const auto make = [&] { return explanations.Make({}); };
  std::thread under_way([&] { EXPECT_TRUE(make().ok()); });
  while (begun < 1) std::this_thread::yield();
  explanations.EndForGood();
  under_way.join();
  EXPECT_EQ(make().error().message, "the exporter ends");
}

}  // namespace
}  // namespace pfe
