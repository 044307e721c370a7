// SPDX-License-Identifier: Apache-2.0
#include "profile/counter_growth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "samples.h"

namespace pfe {
namespace {

using testing::HasSubstr;

Snapshot Reading(const std::vector<Sample>& processes, int64_t retired = 0,
                 int64_t overflow = 0, uint64_t epoch = 1) {
  Snapshot reading = Of(processes, "module", epoch);
  reading.module.emplace();
  (*reading.module)[ModuleNumber::kRetiredRows] = retired;
  (*reading.module)[ModuleNumber::kOverflowFaults] = overflow;
  return reading;
}

class CounterGrowthTest : public testing::Test {
 protected:
  void Take(const Snapshot& reading) { growth_.Take(reading, selector_); }

  const Selector selector_ = Selector::OfComm("java");
  CounterGrowth growth_;
};

TEST_F(CounterGrowthTest, IsOfTheSelectedProcesses) {
  Take(Reading({Live(1, 1, "java", 100), Live(2, 1, "bash", 100)}));
  EXPECT_EQ(growth_.sum().total(), 0);
  Take(Reading({Live(1, 1, "java", 130), Live(2, 1, "bash", 190)}));
  Take(Reading({Live(1, 1, "java", 131)}));
  EXPECT_EQ(growth_.sum().total(), 31);
  EXPECT_EQ(growth_.problem(), "");
}

TEST_F(CounterGrowthTest, OfANewProcessItIsAll) {
  Take(Reading({}));
  Take(Reading({Live(1, 7, "java", 5)}));
  Take(Reading({Live(1, 9, "java", 6)}));
  EXPECT_EQ(growth_.sum().total(), 11);
}

// A process that is renamed, or comes into a control group, has a past.
TEST_F(CounterGrowthTest, APastUnderAnotherNameIsNoGrowth) {
  Take(Reading({Live(1, 1, "bash", 1000000)}));
  Take(Reading({Live(1, 1, "java", 1000007)}));
  EXPECT_EQ(growth_.sum().total(), 7);
}

// The table forgets it a minute after its exit.
TEST_F(CounterGrowthTest, AProcessThatTheTableForgotKeepsItsGrowth) {
  Take(Reading({Live(1, 1, "java", 10)}));
  Take(Reading({Exited(1, 1, "java", 50)}));
  Take(Reading({}, 1));
  EXPECT_EQ(growth_.sum().total(), 40);
  EXPECT_EQ(growth_.problem(), "");
}

TEST_F(CounterGrowthTest, SaysWhatWasForgottenUnread) {
  Take(Reading({Live(1, 1, "java", 10)}));
  Take(Reading({}, 1));
  EXPECT_THAT(growth_.problem(), HasSubstr("forgot processes"));
}

TEST_F(CounterGrowthTest, SaysThatTheTableWasFull) {
  Take(Reading({}, 0, 5));
  Take(Reading({}, 0, 5));
  EXPECT_EQ(growth_.problem(), "");
  Take(Reading({}, 0, 6));
  EXPECT_THAT(growth_.problem(), HasSubstr("was full"));
}

TEST_F(CounterGrowthTest, SaysThatTheModuleWasLoadedAgain) {
  Take(Reading({}));
  Take(Reading({}, 0, 0, 2));
  EXPECT_THAT(growth_.problem(), HasSubstr("loaded again"));
}

TEST_F(CounterGrowthTest, IsByKindWhereTheTableIs) {
  Sample before = Live(1, 1, "java", 0), after = before;
  after.breakdown[0] = 3;
  after.breakdown[kBreakdownCells - 1] = 4;
  Snapshot first = Reading({before}), last = Reading({after});
  first.offered.breakdown = last.offered.breakdown = true;
  Take(first);
  Take(last);
  EXPECT_TRUE(growth_.by_kind());
  EXPECT_EQ(growth_.sum().faults[ProfileClass(0, 0)], 3);
  EXPECT_EQ(growth_.sum().faults[ProfileClass(1, kKinds - 1)], 4);
}

}  // namespace
}  // namespace pfe
