// SPDX-License-Identifier: Apache-2.0
#include "profile/mapping_faults.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

namespace pfe {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

class MappingFaultsTest : public testing::Test {
 protected:
  void Add(const std::string& mapping, uint64_t faults) {
    faults_.Add("java", mapping, faults, 10 * faults);
  }
  // The faults of a mapping that has a place; nothing if it has none.
  std::string Of(const std::string& mapping) const {
    for (const MappingSum& sum : sums_.all)
      if (sum.mapping == mapping) {
        EXPECT_EQ(sum.stall_ns, 10 * sum.faults);
        return std::to_string(sum.faults);
      }
    return "none";
  }
  uint64_t Total() const {
    return std::accumulate(sums_.all.begin(), sums_.all.end(), uint64_t{0},
                           [](uint64_t total, const MappingSum& sum) {
                             return total + sum.faults;
                           });
  }

  MappingFaults faults_{2, 60 * kSecond};
  MappingSums sums_;
};

TEST_F(MappingFaultsTest, SumsByCommAndMapping) {
  faults_.Add("java", "/a", 5, 50);
  faults_.Add("java", "/a", 5, 50);
  faults_.Add("perl", "/a", 7, 70);
  sums_ = faults_.Turn(kSecond);
  ASSERT_EQ(sums_.all.size(), 3u);
  EXPECT_EQ(sums_.all[0].comm, "java");
  EXPECT_EQ(sums_.all[0].mapping, "/a");
  EXPECT_EQ(sums_.all[0].faults, 10u);
  EXPECT_EQ(sums_.all[0].stall_ns, 100u);
  EXPECT_EQ(sums_.all[1].comm, "perl");
  EXPECT_EQ(sums_.all[1].faults, 7u);
  EXPECT_EQ(sums_.all[2].comm, MappingFaults::kOther);
  EXPECT_EQ(sums_.all[2].faults, 0u);
  EXPECT_EQ(sums_.omitted, 0u);
}

TEST_F(MappingFaultsTest, TheOthersShareABucket) {
  Add("/a", 100);
  Add("/b", 50);
  Add("/c", 3);
  sums_ = faults_.Turn(kSecond);
  EXPECT_EQ(Of("/a"), "100");
  EXPECT_EQ(Of("/b"), "50");
  EXPECT_EQ(Of("/c"), "none");
  EXPECT_EQ(Of("other"), "3");
  EXPECT_EQ(sums_.omitted, 1u);
}

TEST_F(MappingFaultsTest, APlaceGoesToWhatHasTwiceAsMuch) {
  Add("/a", 100);
  Add("/b", 50);
  Add("/c", 90);
  sums_ = faults_.Turn(kSecond);
  EXPECT_EQ(Of("/b"), "50") << "/c has not twice as much";
  Add("/c", 11);
  sums_ = faults_.Turn(kSecond);
  EXPECT_EQ(Of("/b"), "none");
  EXPECT_EQ(Of("/c"), "0") << "its past stays in the bucket";
  EXPECT_EQ(Of("other"), std::to_string(50 + 90 + 11));
  EXPECT_EQ(Total(), 251u);
}

// So that rate() and increase() see it grow.
TEST_F(MappingFaultsTest, WhatIsNewIsHeldBack) {
  sums_ = faults_.Turn(kSecond);
  Add("/a", 100);
  sums_ = faults_.Turn(2 * kSecond);
  EXPECT_EQ(Of("/a"), "0");
  Add("/a", 5);
  sums_ = faults_.Turn(61 * kSecond);
  EXPECT_EQ(Of("/a"), "0");
  sums_ = faults_.Turn(62 * kSecond);
  EXPECT_EQ(Of("/a"), "105");
}

TEST_F(MappingFaultsTest, ThePastCountsLess) {
  Add("/a", 1000);
  Add("/b", 1000);
  sums_ = faults_.Turn(kSecond);
  Add("/c", 300);
  sums_ = faults_.Turn(2 * kSecond);
  EXPECT_EQ(Of("/c"), "none");
  Add("/a", 1000);
  Add("/c", 300);
  sums_ = faults_.Turn(2 * kSecond + 3 * MappingFaults::kHalfLifeNs);
  Add("/c", 300);
  sums_ = faults_.Turn(2 * kSecond + 3 * MappingFaults::kHalfLifeNs);
  EXPECT_EQ(Of("/b"), "none") << "an eighth of 1000 counts";
  EXPECT_EQ(Of("/c"), "0");
}

TEST_F(MappingFaultsTest, KnowsALimitedNumber) {
  const size_t many = MappingFaults::kMostKnown + 100;
  for (size_t i = 0; i < many; ++i) Add("/" + std::to_string(i), 3);
  sums_ = faults_.Turn(kSecond);
  EXPECT_EQ(Total(), 3 * many);
  EXPECT_EQ(sums_.omitted, MappingFaults::kMostKnown - 2);
  sums_ = faults_.Turn(kSecond + 2 * MappingFaults::kHalfLifeNs);
  EXPECT_EQ(sums_.omitted, 0u) << "a mapping without new faults is forgotten";
  EXPECT_EQ(Total(), 3 * many);
}

// Two series with the same labels are an error for Prometheus.
TEST_F(MappingFaultsTest, NamesThatLookAlikeAreOneSum) {
  Add("\xfe", 10);
  Add("\xff", 5);
  sums_ = faults_.Turn(kSecond);
  ASSERT_EQ(sums_.all.size(), 2u);
  EXPECT_EQ(sums_.all[0].faults, 15u);
}

// Its sum begins anew: without a gap it would fall.
TEST_F(MappingFaultsTest, WhatLostItsPlaceGetsNoneForATime) {
  Add("/a", 100);
  Add("/b", 100);
  sums_ = faults_.Turn(kSecond);
  Add("/c", 10'000);
  sums_ = faults_.Turn(2 * kSecond);
  const std::string lost = Of("/a") == "none" ? "/a" : "/b";
  Add(lost, 1'000'000);
  sums_ = faults_.Turn(3 * kSecond);
  EXPECT_EQ(Of(lost), "none");
  Add(lost, 1'000'000);
  sums_ = faults_.Turn(2 * kSecond + MappingFaults::kAwayNs);
  EXPECT_EQ(Of(lost), "0");
}

TEST_F(MappingFaultsTest, NamesAreValidAndNotTooLong) {
  faults_.Add("\xff", std::string(1000, 'x'), 1, 10);
  sums_ = faults_.Turn(kSecond);
  EXPECT_EQ(sums_.all[0].comm, "\xef\xbf\xbd");
  EXPECT_EQ(sums_.all[0].mapping,
            std::string(MappingFaults::kMostNameBytes, 'x') + "…");
}

}  // namespace
}  // namespace pfe
