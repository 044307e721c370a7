// SPDX-License-Identifier: Apache-2.0
#include "profile/stacks.h"

#include <gtest/gtest.h>

namespace pfe {
namespace {

FaultSample SampleOf(uint64_t weight) {
  FaultSample sample;
  sample.weight = weight;
  return sample;
}

class StacksTest : public testing::Test {
 protected:
  Frame At(const char* name, uint64_t offset) {
    return {nullptr, stacks_.Keep(name), offset};
  }
  Profile Named() {
    bool is_cut = false;
    Functions functions("/proc");
    const auto names = stacks_.NameFrames(
        &functions, [] { return false; }, &is_cut);
    Profile profile;
    for (const auto& [key, sum] : stacks_.sums())
      profile.Add(sum, *key.mapping, PathOf(key, names));
    return profile;
  }

  Stacks stacks_;
};

TEST_F(StacksTest, SumsTheSamplesOfAStack) {
  stacks_.Add(SampleOf(3), {}, "[heap]", {At("/lib/x", 16), At("/bin/y", 32)});
  stacks_.Add(SampleOf(4), {}, "[heap]", {At("/lib/x", 16), At("/bin/y", 32)});
  stacks_.Add(SampleOf(1), {}, "[heap]", {At("/lib/x", 16)});
  const Profile profile = Named();
  ASSERT_EQ(profile.paths().size(), 2u);
  EXPECT_EQ(profile.paths()[0].name, std::string("x+0x10\0y+0x20", 13));
  EXPECT_EQ(profile.paths()[0].sum.total(), 7);
  EXPECT_EQ(profile.total().total(), 8);
}

TEST_F(StacksTest, WhatHasNoFramesIsInTheKernel) {
  stacks_.Add(SampleOf(3), {}, "[heap]", {});
  stacks_.Add(SampleOf(2), {}, "[heap]", {{nullptr, nullptr, 0x1234}});
  const Profile profile = Named();
  ASSERT_EQ(profile.functions().size(), 2u);
  EXPECT_EQ(profile.functions()[0].name, "[kernel]");
  // It can be any word of memory.
  EXPECT_EQ(profile.functions()[1].name, "[unknown]");
}

TEST_F(StacksTest, MoreThanItCanKeepIsSummedTogether) {
  const std::vector<Frame> frames(200, At("/lib/x", 1));
  for (size_t i = 0; i * 200 < 2 * Stacks::kMostFrames; ++i) {
    std::vector<Frame> stack = frames;
    stack[0].offset = i;
    stacks_.Add(SampleOf(1), {}, "[heap]", stack);
  }
  EXPECT_TRUE(stacks_.is_full());
  const Profile profile = Named();
  EXPECT_EQ(profile.total().total(), 2.0 * Stacks::kMostFrames / 200);
  ASSERT_EQ(profile.mappings().size(), 2u);
  EXPECT_EQ(profile.mappings()[0].name, Stacks::kOther);
  EXPECT_EQ(profile.functions()[0].name, Stacks::kOther);
}

// A program can map files with names of 4 kB, as many as it wants.
TEST_F(StacksTest, TheNamesOfMappingsHaveALimit) {
  size_t kept = 0;
  for (size_t i = 0; i < 20000; ++i)
    kept += *stacks_.Keep(std::string(4000, 'x') + std::to_string(i)) !=
            Stacks::kOther;
  EXPECT_NEAR(static_cast<double>(kept) * 4000, Stacks::kMostTextBytes, 1e6);
  EXPECT_EQ(*stacks_.Keep(std::string(4000, 'x') + "0"),
            std::string(4000, 'x') + "0");
}

}  // namespace
}  // namespace pfe
