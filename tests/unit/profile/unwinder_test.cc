// SPDX-License-Identifier: Apache-2.0
#include "profile/unwinder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "profile/deep_calls.h"

namespace pfe {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

bool Never() { return false; }
bool Always() { return true; }

// Unwinds stacks of this program.
class UnwinderTest : public testing::Test {
 protected:
  static FaultSample SampleOf(UserStack stack) {
    FaultSample sample;
    sample.pid = sample.thread = static_cast<uint32_t>(getpid());
    sample.frames = {stack.registers.back()};
    sample.stack = std::make_shared<const UserStack>(std::move(stack));
    return sample;
  }
  std::vector<std::string> Names(const std::vector<uint64_t>& path) {
    std::vector<std::string> names;
    for (size_t i = 0; i < path.size(); ++i)
      names.push_back(Name(path[i] - (i > 0 ? 1 : 0)));
    return names;
  }
  std::vector<std::string> NamesOf(const FaultSample& sample) {
    return Names(unwinder_.CallPath(sample, Never));
  }

  AddressSpaces spaces_{"/proc"};
  Functions functions_{"/proc"};
  Unwinder unwinder_{&spaces_, &functions_};

 private:
  std::string Name(uint64_t address) {
    const auto pid = static_cast<uint32_t>(getpid());
    uint64_t start = 0;
    const Mapping* const mapping = spaces_.Find(pid, pid, address, &start);
    CodeFile* const file = mapping ? functions_.Open(pid, *mapping) : nullptr;
    return file
               ? functions_.Name(file, address - start + mapping->offset, Never)
               : "";
  }
};

TEST_F(UnwinderTest, FindsCallersWithoutFramePointers) {
  std::vector<std::string> names = NamesOf(SampleOf(deep_calls::Third(1)));
  ASSERT_GT(names.size(), 5u);
  EXPECT_THAT(names, Contains("main"));
  names.resize(5);
  EXPECT_THAT(names,
              ElementsAre("deep_calls::Copy()", "deep_calls::First()",
                          "deep_calls::Second(int)", "deep_calls::Third(int)",
                          "deep_calls::Third(int)"));
}

// The first frame says it.
TEST_F(UnwinderTest, AStackThatIsFollowedToItsEndIsBetterThanFramePointers) {
  FaultSample sample = SampleOf(deep_calls::First());
  sample.frames.assign(100, sample.frames[0]);
  EXPECT_THAT(NamesOf(sample), Contains("main"));
}

TEST_F(UnwinderTest, OfADeepStackTheInnermostFramesAreFound) {
  const std::vector<std::string> names =
      NamesOf(SampleOf(deep_calls::Third(1000)));
  EXPECT_GT(names.size(), 10u);
  EXPECT_LE(names.size(), Unwinder::kMostFrames);
  EXPECT_EQ(names.back(), "deep_calls::Third(int)");
}

TEST_F(UnwinderTest, OfAStackThatIsCutTheLongerPathIsTaken) {
  UserStack stack = deep_calls::Third(0);
  for (const size_t size : {size_t{0}, size_t{7}, size_t{1000}}) {
    stack.bytes.resize(size);
    FaultSample sample = SampleOf(stack);
    EXPECT_THAT(NamesOf(sample), Not(Contains("main"))) << size;
    sample.frames.assign(60, 1);
    EXPECT_EQ(unwinder_.CallPath(sample, Never), sample.frames) << size;
  }
}

TEST_F(UnwinderTest, EndsWhenItIsOver) {
  const FaultSample sample = SampleOf(deep_calls::Third(0));
  EXPECT_EQ(unwinder_.CallPath(sample, Always), sample.frames);
  EXPECT_EQ(unwinder_.cut(), 1u);
}

TEST_F(UnwinderTest, AnInstructionInNoFileHasNoCallers) {
  UserStack stack = deep_calls::Third(0);
  stack.registers.back() = reinterpret_cast<uint64_t>(&stack);
  const FaultSample sample = SampleOf(stack);
  EXPECT_EQ(unwinder_.CallPath(sample, Never), sample.frames);
}

TEST_F(UnwinderTest, WithoutAStackThePathIsThatOfFramePointers) {
  FaultSample sample;
  sample.frames = {1, 2};
  EXPECT_EQ(unwinder_.CallPath(sample, Never), sample.frames);
}

TEST_F(UnwinderTest, RegistersOfAnyValueEndTheWalk) {
  for (const uint64_t value : {uint64_t{0}, UINT64_MAX, uint64_t{1} << 63}) {
    UserStack stack = deep_calls::Third(0);
    const uint64_t at = stack.registers.back();
    stack.registers.fill(value);
    stack.registers.back() = at;
    EXPECT_THAT(NamesOf(SampleOf(stack)), Not(Contains("main"))) << value;
  }
}

}  // namespace
}  // namespace pfe
