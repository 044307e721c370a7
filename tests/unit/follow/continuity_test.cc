// SPDX-License-Identifier: Apache-2.0
#include "follow/continuity.h"

#include <gtest/gtest.h>

#include "samples.h"

namespace pfe {
namespace {

// One process, and its exported values.
class ContinuityTest : public testing::Test {
 protected:
  // A tick in which the source says `faults`; returns the growth.
  uint64_t Tick(uint64_t faults, bool new_source = false, bool commit = true) {
    ProcessTable table;
    Sample sample = Live(1, 1, "a", faults);
    sample.breakdown[3] = faults;
    sample.slow = {faults, faults, faults, faults};
    Add(sample, &table);
    RowGrowth growth;
    growth.Clear();
    continuity_.Begin(new_source, 1);
    const uint32_t slot = continuity_.Continue(table_, table_[0], slot_, &table,
                                               &table[0], &growth);
    if (!commit) return growth.counters.faults;
    continuity_.Commit();
    slot_ = slot;
    table_ = std::move(table);
    EXPECT_EQ(table_.breakdown(table_[0])[3], Exported());
    for (size_t i = 0; i < kSlowBounds.size(); ++i) {
      EXPECT_EQ(table_.slow(table_[0])[i], Exported()) << i;
      EXPECT_EQ(growth.slow[i], growth.counters.faults) << i;
    }
    return growth.counters.faults;
  }
  uint64_t Exported() const { return table_[0].faults; }

  ContinuityTest() {
    Sample sample = Live(1, 1, "a", 10);
    sample.breakdown[3] = 10;
    sample.slow = {10, 10, 10, 10};
    Add(sample, &table_);
  }

  Continuity continuity_;
  ProcessTable table_;
  uint32_t slot_ = Continuity::kNoOffset;
};

TEST_F(ContinuityTest, OneSourceIsExportedAsItIs) {
  EXPECT_EQ(Tick(15), 5u);
  EXPECT_EQ(Exported(), 15u);
  EXPECT_EQ(slot_, Continuity::kNoOffset);
}

TEST_F(ContinuityTest, AnotherSourceGoesOnFromTheExportedValue) {
  EXPECT_EQ(Tick(5000, true), 0u);
  EXPECT_EQ(Exported(), 10u);
  EXPECT_EQ(Tick(5003), 3u);
  EXPECT_EQ(Exported(), 13u);
  EXPECT_EQ(continuity_.SourceFaults(table_[0], slot_), 5003u);
  EXPECT_EQ(Tick(1, true), 0u);
  EXPECT_EQ(Tick(3), 2u);
  EXPECT_EQ(Exported(), 15u);
}

TEST_F(ContinuityTest, ADipIsNotCountedTwice) {
  EXPECT_EQ(Tick(4), 0u);
  EXPECT_EQ(Exported(), 10u);
  EXPECT_EQ(Tick(9), 0u);
  EXPECT_EQ(Tick(12), 2u);
}

TEST_F(ContinuityTest, ATickThatIsGivenUpLeavesNoTrace) {
  Tick(5000, true);
  EXPECT_EQ(Tick(7, true, false), 0u);
  EXPECT_EQ(Tick(5002), 2u);
  EXPECT_EQ(Exported(), 12u);
}

}  // namespace
}  // namespace pfe
