// SPDX-License-Identifier: Apache-2.0
#include "profile/samplers.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pfe {
namespace {

TEST(Samplers, OneLevelOfEachEventIsEnabled) {
  for (const auto module : {std::optional<uint64_t>(), {7}}) {
    const std::vector<Sampler> samplers = Samplers(module, true);
    EXPECT_EQ(samplers.size(), kSampleLevels * (module ? 1 : 2));
    for (const Sampler& sampler : samplers) {
      EXPECT_EQ(sampler.attr.disabled, sampler.level > 0);
      EXPECT_EQ(sampler.attr.sample_type, SampleType(sampler.kind));
      EXPECT_EQ(sampler.kind.is_fault_event, module.has_value());
    }
  }
}

TEST(Samplers, AHigherLevelGivesFewerSamples) {
  for (const auto module : {std::optional<uint64_t>(), {7}}) {
    const std::vector<Sampler> samplers = Samplers(module, true);
    for (size_t i = 1; i < samplers.size(); ++i) {
      if (samplers[i].level == 0) continue;
      EXPECT_GE(samplers[i].attr.sample_period,
                15 * samplers[i - 1].attr.sample_period);
    }
  }
}

// perf gives one sample each time the module's event fires, whatever its
// weight, only if the period is among the fields.
TEST(Samplers, OfTheModuleEachSampleSaysItsWeight) {
  const std::vector<Sampler> samplers = Samplers(7, true);
  for (const Sampler& sampler : samplers)
    EXPECT_EQ((sampler.attr.sample_type & PERF_SAMPLE_PERIOD) != 0,
              sampler.level == 0);
}

TEST(Samplers, CallPathsAreLeftOutIfNobodyWantsThem) {
  for (const Sampler& sampler : Samplers(7, false))
    EXPECT_EQ(sampler.attr.sample_type & PERF_SAMPLE_CALLCHAIN, 0u);
  for (const Sampler& sampler : Samplers(7, true))
    EXPECT_NE(sampler.attr.sample_type & PERF_SAMPLE_CALLCHAIN, 0u);
}

TEST(Samplers, StacksAreCopiedIfTheyAreWanted) {
  constexpr uint64_t kFields = PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
  for (const Sampler& sampler : Samplers(7, true)) {
    EXPECT_EQ(sampler.attr.sample_type & kFields, 0u);
    EXPECT_EQ(sampler.attr.sample_stack_user, 0u);
  }
  for (const Sampler& sampler : Samplers(7, true, true)) {
    EXPECT_EQ(sampler.attr.sample_type & kFields, kFields);
    EXPECT_EQ(sampler.attr.sample_regs_user, kUserRegistersMask);
    EXPECT_EQ(sampler.attr.sample_stack_user, 8192u);
  }
}

}  // namespace
}  // namespace pfe
