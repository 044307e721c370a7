// SPDX-License-Identifier: Apache-2.0
#include "follow/sums.h"

#include <gtest/gtest.h>

#include <string>

#include "samples.h"

namespace pfe {
namespace {

class SumsTest : public testing::Test {
 protected:
  // A tick with one process a comm, each of which has grown by one fault.
  void Tick(uint64_t now_ns, const std::vector<std::string>& comms,
            bool commit = true) {
    sums_.Begin(now_ns, Offered(), false);
    for (const std::string& comm : comms) {
      RowGrowth growth;
      growth.Clear();
      growth.counters = {1, 1, 0, 0};
      sums_.Add(Live(1, 1, comm, 1), comm, Sums::kOther, growth);
    }
    if (commit) sums_.Commit();
  }
  // The faults of a comm, which must have at most one place.
  uint64_t Of(const std::string& comm) const {
    int places = 0;
    uint64_t faults = 0;
    for (const NamedSums& sums : *sums_.all())
      if (sums.name == comm) {
        faults = sums.counters.faults;
        ++places;
      }
    EXPECT_LE(places, 1) << comm;
    return faults;
  }

  Sums sums_{2};
};

TEST_F(SumsTest, APlaceIsGivenAwayAfterSeconds) {
  Tick(kSecond, {"a", "b", "c"});
  EXPECT_EQ(Of("other"), 1u);
  EXPECT_EQ(sums_.omitted(), 1u);
  // The number of ticks does not matter.
  for (uint64_t tick = 1; tick <= 500; ++tick)
    Tick(kSecond + tick * kSecond / 2, {"a", "c"});
  EXPECT_EQ(Of("b"), 1u);
  EXPECT_EQ(Of("other"), 501u);
  Tick(2 * kSecond + Sums::kIdleNs, {"a", "c"});
  EXPECT_EQ(Of("b"), 0u);
  EXPECT_EQ(Of("c"), 1u);
  EXPECT_EQ(Of("other"), 502u) << "with what b had";
  EXPECT_EQ(sums_.omitted(), 0u);
}

// The next tick is the first one that knows which names have no process.
TEST_F(SumsTest, ReleasedPlacesAreGivenAwayInTheTickAfterNext) {
  Tick(kSecond, {"a", "b"});
  sums_.ReleasePlaces();
  Tick(2 * kSecond, {"a", "c"});
  EXPECT_EQ(Of("other"), 1u);
  Tick(3 * kSecond, {"a", "c"});
  EXPECT_EQ(Of("a"), 3u);
  EXPECT_EQ(Of("b"), 0u);
  EXPECT_EQ(Of("c"), 1u);
  EXPECT_EQ(Of("other"), 2u) << "with what b had";
}

TEST_F(SumsTest, AfterALongGapNoCommThatIsThereLosesItsPlace) {
  Tick(kSecond, {"a", "b"});
  Tick(9 * kSecond + Sums::kIdleNs, {"c", "a", "b"});
  EXPECT_EQ(Of("a"), 2u);
  EXPECT_EQ(Of("b"), 2u);
  EXPECT_EQ(Of("other"), 1u);
}

TEST_F(SumsTest, ATickThatIsGivenUpLeavesNoTrace) {
  Tick(kSecond, {"a", "b"});
  const uint64_t later = 9 * kSecond + Sums::kIdleNs;
  Tick(later - 2 * kSecond, {"a"});
  Tick(later - kSecond, {"a", "c"}, false);
  EXPECT_EQ(Of("b"), 1u);
  Tick(later, {"a", "b"});
  EXPECT_EQ(Of("a"), 3u);
  EXPECT_EQ(Of("b"), 2u);
  EXPECT_EQ(Of("c"), 0u);
}

TEST_F(SumsTest, ReadersKeepTheirTick) {
  Tick(kSecond, {"a"});
  const auto held = sums_.all();
  for (uint64_t i = 2; i < 10; ++i) Tick(i * kSecond, {"a"});
  EXPECT_EQ((*held)[1].counters.faults, 1u);
  EXPECT_EQ(Of("a"), 9u);
}

}  // namespace
}  // namespace pfe
