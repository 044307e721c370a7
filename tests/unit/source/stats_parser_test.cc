// SPDX-License-Identifier: Apache-2.0
#include "source/stats_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace pfe {
namespace {

const std::string kHead = "# page_faults 1\nle_ns\tminor\tmajor\n";
const std::string kRest = "inf\t5\t2\nsum\t900\t800\ncount\t5\t2\n";

TEST(ParseLatency, TakesItsLines) {
  const auto latency = ParseLatency(
      kHead + "256\t1\t0\n512\t4\t2\n" + kRest + "# end rows=5\n", "f");
  ASSERT_TRUE(latency.ok());
  EXPECT_EQ(latency.value().bounds_ns, (std::vector<uint64_t>{256, 512}));
  EXPECT_EQ(latency.value().severities[0].counts,
            (std::vector<uint64_t>{1, 4}));
  EXPECT_EQ(latency.value().severities[1].count, 2u);
  EXPECT_EQ(latency.value().severities[1].sum_ns, 800u);
}

// Columns are found by name; others, and labels that are not known, are to be
// left out (page_faults.h, "Version").
TEST(ParseLatency, TakesWhatALaterModuleMayAdd) {
  const auto latency = ParseLatency(
      "# page_faults 1\nmajor\tnew\tle_ns\tminor\n2\t9\t512\t4\n"
      "2\t9\tinf\t5\n800\t9\tsum\t900\n2\t9\tcount\t5\n7\t9\tmax\t8\n"
      "# end rows=5\n",
      "f");
  ASSERT_TRUE(latency.ok());
  EXPECT_EQ(latency.value().severities[0].count, 5u);
  EXPECT_EQ(latency.value().severities[1].count, 2u);
}

TEST(ParseLatency, RefusesWhatIsNone) {
  for (const std::string& lines :
       {std::string("1024\t5\t0\n# end rows=1\n"),  // no inf, sum, count
        "512\t4\t2\n256\t5\t2\n" + kRest + "# end rows=5\n",
        "256\t4\t2\n512\t3\t2\n" + kRest + "# end rows=5\n",
        "256\t6\t2\n" + kRest + "# end rows=4\n",
        "256\t1\n" + kRest + "# end rows=4\n",
        "256\t1\tx\n" + kRest + "# end rows=4\n"}) {
    const auto latency = ParseLatency(kHead + lines, "f");
    ASSERT_FALSE(latency.ok()) << lines;
    EXPECT_EQ(latency.error().cause, Cause::kMalformed) << lines;
  }
  const auto cut = ParseLatency(kHead + kRest + "# end rows=4\n", "f");
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().cause, Cause::kTruncated);
}

}  // namespace
}  // namespace pfe
