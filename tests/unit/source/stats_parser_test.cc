// SPDX-License-Identifier: Apache-2.0
#include "source/stats_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "page_faults.h"

namespace pfe {
namespace {

using testing::HasSubstr;

std::string Fixture(const std::string& name) {
  std::ifstream file(FIXTURES "/debugfs/page_faults/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Bad {
  const char* what;
  std::string text;
  Cause cause;
  const char* message;
};

TEST(ParseStats, ReadsRealStats) {
  const auto result = ParseStats(Fixture("stats"), "stats");
  ASSERT_TRUE(result.ok()) << result.error().message;
  const Stats& stats = result.value();
  EXPECT_EQ(stats.module[ModuleNumber::kCapacity], 16384);
  EXPECT_EQ(stats.module[ModuleNumber::kBlocks], 256);
  EXPECT_EQ(stats.module.detail, "full");
  EXPECT_EQ(stats.module.hook, "direct");
  EXPECT_TRUE(stats.host[static_cast<size_t>(HostCounter::kRetried)]);
}

TEST(ParseStats, NegativeNumbersAndTexts) {
  const auto result = ParseStats(
      "version 1\nmodule_version 2\ndrift -7\noom 18446744073709551615\n"
      "hook a b\nnew x\nend 6\n",
      "s");
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result.value().module[ModuleNumber::kDrift], -7);
  EXPECT_EQ(result.value().host[static_cast<size_t>(HostCounter::kOom)],
            UINT64_MAX);
  EXPECT_FALSE(result.value().module[ModuleNumber::kLive]);
  EXPECT_EQ(result.value().module.version, "2");
  EXPECT_EQ(result.value().module.hook, "a b");
}

TEST(ParseStats, NamesWhatIsWrong) {
  const std::vector<Bad> cases = {
      {"nothing", "", Cause::kTruncated, "s: "},
      {"no end", "version 1\nlive 3\n", Cause::kTruncated, "cut short"},
      {"cut", "version 1\nlive 3", Cause::kTruncated, "cut short"},
      {"count", "version 1\nlive 3\nend 3\n", Cause::kTruncated, "cut short"},
      {"largest count", "version 1\nlive 3\nend 9223372036854775807\n",
       Cause::kTruncated, "cut short"},
      {"no value", "version 1\nlive\nend 2\n", Cause::kMalformed, "s:2"},
      {"no version", "live 3\nend 1\n", Cause::kMalformed, "no key version"},
      {"version", "version 2\nend 1\n", Cause::kUnknownVersion, "version 2"},
      {"version of another text", "version 2\nlive\n", Cause::kUnknownVersion,
       "version 2"},
      {"largest version", "version 99999999999999999999\nend 1\n",
       Cause::kUnknownVersion, "s: format version"},
      {"version text", "version x\nend 1\n", Cause::kMalformed,
       "s:1: version is not understood: \"x\""},
      {"end text", "version 1\nend x\n", Cause::kMalformed,
       "s:2: end is not understood: \"x\""},
      {"behind the end", "version 1\nend 2\nlive 3\n", Cause::kMalformed,
       "s:3: text behind the last line"},
      {"number", "version 1\nlive a\nend 2\n", Cause::kMalformed,
       "s:2: live is not understood: \"a\""},
      {"no number", "version 1\noom \nend 2\n", Cause::kMalformed,
       "s:2: oom is not understood: \"\""},
      {"twice", "version 1\nlive 3\nlive_max 4\nlive 5\nend 4\n",
       Cause::kMalformed, "s:4: the key live is there twice"},
      {"too large", "version 1\nx y\nretried 18446744073709551616\nend 3\n",
       Cause::kMalformed, "s:3: retried is not understood"},
      {"sign", "version 1\nretired_faults -3\nend 2\n", Cause::kMalformed,
       "s:2: retired_faults is not understood: \"-3\""},
      {"sign of a host's counter", "version 1\noom -3\nend 2\n",
       Cause::kMalformed, "s:2: oom is not understood: \"-3\""},
      {"drift", "version 1\ndrift -9223372036854775809\nend 2\n",
       Cause::kMalformed, "s:2: drift is not understood"},
  };
  for (const Bad& bad : cases) {
    const auto result = ParseStats(bad.text, "s");
    ASSERT_FALSE(result.ok()) << bad.what;
    EXPECT_EQ(result.error().cause, bad.cause) << bad.what;
    EXPECT_THAT(result.error().message, HasSubstr(bad.message)) << bad.what;
  }
}

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

// Columns are found by name. Other columns and unknown labels are skipped, as
// page_faults.h requires ("Version").
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
  struct {
    std::string lines;
    const char* message;
  } const cases[] = {
      {"256\t1\t0\n" + kRest + "inf\t5\t2\n",
       "f:7: the line inf is there twice"},
      {kRest + "sum\t9\t8\n", "f:6: the line sum is there twice"},
      {kRest + "count\t5\t2\n", "f:6: the line count is there twice"},
      {"99999999999999999999\t1\t0\n", "f:3: the bound is too large"},
      {"512\t4\t2\n512\t5\t2\n", "f:4: the bounds are not ascending"},
      {"256\t1\tx\n", "f:3: expected \"le TAB minor TAB major\""},
  };
  for (const auto& [lines, message] : cases) {
    const auto latency = ParseLatency(kHead + lines, "f");
    ASSERT_FALSE(latency.ok()) << lines;
    EXPECT_EQ(latency.error().cause, Cause::kMalformed) << lines;
    EXPECT_EQ(latency.error().message, message);
  }
  const auto cut = ParseLatency(kHead + kRest + "# end rows=4\n", "f");
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().cause, Cause::kTruncated);
}

TEST(ParseLatency, OnlyAnotherNumberIsAnotherVersion) {
  const struct {
    const char* text;
    Cause cause;
    const char* message;
  } cases[] = {
      {"# page_faults 2\n", Cause::kUnknownVersion, "f:1: unknown format"},
      {"# page_faults 99999999999999999999\n", Cause::kUnknownVersion, "f:1"},
      {"# page_fau", Cause::kTruncated, "cut short"},
      {"# page_faults 1", Cause::kTruncated, "cut short"},
      {"# page_fau\n", Cause::kMalformed, "f:1: expected \"# page_faults <"},
      {"# page_faults \n", Cause::kMalformed, "f:1: expected"},
      {"# page_faults x\n", Cause::kMalformed, "f:1: expected"},
  };
  for (const auto& [text, cause, message] : cases) {
    const auto latency = ParseLatency(text, "f");
    ASSERT_FALSE(latency.ok()) << text;
    EXPECT_EQ(latency.error().cause, cause) << text;
    EXPECT_THAT(latency.error().message, HasSubstr(message)) << text;
  }
}

}  // namespace
}  // namespace pfe
