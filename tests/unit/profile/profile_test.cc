// SPDX-License-Identifier: Apache-2.0
#include "profile/profile.h"

#include <gtest/gtest.h>

namespace pfe {
namespace {

FaultSample SampleOf(size_t severity, size_t kind, uint64_t weight,
                     uint64_t ns = 0) {
  FaultSample sample;
  sample.severity = severity;
  sample.kind = kind;
  sample.weight = weight;
  sample.ns = ns;
  return sample;
}

TEST(Profile, SumsByMappingFunctionAndPath) {
  Profile profile;
  profile.Add(SumOf(SampleOf(0, 0, 10)), "[heap]", {"grow", "main"});
  profile.Add(SumOf(SampleOf(1, 0, 5)), "[heap]", {"grow", "other"});
  profile.Add(SumOf(SampleOf(0, 1, 1)), "/file", {"read"});
  profile.Add(SumOf(SampleOf(0, 0, 2)), "[kernel]", {"[kernel]"});
  EXPECT_EQ(profile.samples(), 4u);
  ASSERT_EQ(profile.mappings().size(), 3u);
  EXPECT_EQ(profile.mappings()[0].name, "[heap]");
  EXPECT_EQ(profile.mappings()[0].sum.total(), 15);
  EXPECT_EQ(profile.mappings()[0].sum.major(), 5);
  ASSERT_EQ(profile.functions().size(), 3u);
  EXPECT_EQ(profile.functions()[0].name, "grow");
  EXPECT_EQ(profile.functions()[0].sum.total(), 15);
  ASSERT_EQ(profile.paths().size(), 4u);
  EXPECT_EQ(profile.paths()[0].name, std::string("grow\0main", 9));
}

TEST(Profile, ScalesEachClassToItsExactCount) {
  Profile profile;
  profile.Add(SumOf(SampleOf(0, 0, 10, 1000)), "a", {"f"});
  profile.Add(SumOf(SampleOf(0, 0, 30, 3000)), "b", {"g"});
  profile.Add(SumOf(SampleOf(0, 1, 7)), "a", {"f"});
  Profile::Exact exact;
  exact.by_kind = true;
  exact.stall = true;
  exact.sum.faults[ProfileClass(0, 0)] = 80;
  exact.sum.faults[ProfileClass(0, 1)] = 14;
  exact.sum.faults[ProfileClass(1, 2)] = 3;  // without a sample
  exact.sum.stall_seconds = 2;
  const FaultSum unsampled = profile.Scale(exact);
  EXPECT_DOUBLE_EQ(unsampled.total(), 3);
  EXPECT_DOUBLE_EQ(unsampled.major(), 3);
  EXPECT_DOUBLE_EQ(profile.total().total() + unsampled.total(),
                   exact.sum.total());
  EXPECT_DOUBLE_EQ(profile.mappings()[0].sum.total(), 60) << "b";
  EXPECT_DOUBLE_EQ(profile.mappings()[1].sum.total(), 20 + 14) << "a";
  EXPECT_DOUBLE_EQ(profile.total().stall_seconds, 2);
  EXPECT_DOUBLE_EQ(profile.mappings()[0].sum.stall_seconds, 1.8);
}

TEST(Profile, WithoutKindsEachSeverityIsScaled) {
  Profile profile;
  profile.Add(SumOf(SampleOf(0, kKinds, 10)), "a", {"f"});
  Profile::Exact exact;
  exact.sum.faults[ProfileClass(0, kKinds)] = 50;
  exact.sum.faults[ProfileClass(1, kKinds)] = 2;
  const FaultSum unsampled = profile.Scale(exact);
  EXPECT_DOUBLE_EQ(profile.total().total(), 50);
  EXPECT_DOUBLE_EQ(unsampled.total(), 2);
  EXPECT_DOUBLE_EQ(unsampled.major(), 2);
}

TEST(Profile, WithoutSamplesAllIsNotSampled) {
  Profile profile;
  Profile::Exact exact;
  exact.sum.faults[ProfileClass(0, kKinds)] = 50;
  EXPECT_DOUBLE_EQ(profile.Scale(exact).total(), 50);
  EXPECT_TRUE(profile.mappings().empty());
}

// A hundred samples of 97 faults each are hardly more certain for the 5,000
// slow faults beside them, each of which is a sample.
TEST(Profile, SamplesOfDifferentWeightsAreLessCertain) {
  FaultSum sum;
  for (int i = 0; i < 100; ++i) sum += SumOf(SampleOf(0, 0, 97));
  EXPECT_DOUBLE_EQ(EffectiveSamples(sum), 100);
  for (int i = 0; i < 5000; ++i) sum += SumOf(SampleOf(0, 0, 1));
  EXPECT_EQ(sum.samples, 5100u);
  EXPECT_NEAR(EffectiveSamples(sum), 228, 1);
  EXPECT_EQ(EffectiveSamples(FaultSum()), 0);
}

TEST(Profile, TheErrorOfAShareFallsWithTheSamples) {
  EXPECT_EQ(ErrorOfShare(0.5, 0), 1);
  EXPECT_NEAR(ErrorOfShare(0.5, 100), 0.098, 0.001);
  EXPECT_NEAR(ErrorOfShare(0.1, 10000), 0.00588, 0.0001);
}

}  // namespace
}  // namespace pfe
