// SPDX-License-Identifier: Apache-2.0
#include "follow/identity_matcher.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/clock.h"
#include "samples.h"

namespace pfe {
namespace {

Rows RowsOf(const std::vector<Sample>& samples) {
  Rows rows;
  for (const Sample& sample : samples) {
    Add(sample, &rows.processes);
    rows.youngest_ns = std::max(rows.youngest_ns, sample.start_ns);
  }
  return rows;
}

TEST(IdentityMatcher, FindsByPidAndStart) {
  const Rows old = RowsOf({Live(1, 10, "a", 0), Live(2, 20, "b", 0)});
  IdentityMatcher matcher;
  matcher.Begin(old, true);
  EXPECT_EQ(matcher.Find(Live(2, 20, "b", 0)), 1u);
  EXPECT_EQ(matcher.Find(Live(2, 20, "b", 0)), kNoRow) << "found before";
  EXPECT_EQ(matcher.Find(Live(1, 11, "a", 0)), kNoRow) << "its pid came again";
  std::vector<uint32_t> gone;
  matcher.ForEachGone([&](uint32_t i) { gone.push_back(i); });
  EXPECT_EQ(gone, std::vector<uint32_t>{0});
}

TEST(IdentityMatcher, InAnyOrder) {
  std::vector<Sample> samples;
  for (uint32_t pid = 0; pid < 1000; ++pid)
    samples.push_back(Live(pid, pid % 7, "a", 0));
  const Rows old = RowsOf(samples);
  IdentityMatcher matcher;
  matcher.Begin(old, true);
  for (uint32_t i = 0; i < 1000; ++i) {
    const uint32_t at = i * 7919 % 1000;
    EXPECT_EQ(matcher.Find(samples[at]), at);
  }
}

TEST(IdentityMatcher, AcrossSourcesAStartIsAClockTick) {
  const Rows old = RowsOf({Live(1, 3 * kProcTickNs + 5, "a", 0)});
  IdentityMatcher matcher;
  matcher.Begin(old, true);
  EXPECT_EQ(matcher.Find(Live(1, 3 * kProcTickNs, "a", 0)), kNoRow);
  matcher.Begin(old, false);
  EXPECT_EQ(matcher.Find(Live(1, 3 * kProcTickNs, "a", 0)), 0u);
}

}  // namespace
}  // namespace pfe
