// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profile/explainer.h"

namespace pfe {
namespace {

using testing::HasSubstr;
using testing::Not;

NamedSum Sum(const std::string& name, double faults) {
  NamedSum sum;
  sum.name = name;
  sum.sum.faults[ProfileClass(0, 0)] = faults;
  return sum;
}

TEST(ExplanationText, HasTheTopRowsAndTheRest) {
  Explanation of;
  of.by_module = of.has_stall = true;
  of.is_exact = true;
  of.seconds = 10;
  of.samples = 400;
  of.effective_samples = 400;
  of.all.faults[ProfileClass(0, 0)] = 1000;
  of.all.faults[ProfileClass(1, 0)] = 24;
  of.unsampled.faults[ProfileClass(1, 0)] = 24;
  of.mappings = {Sum("[heap]", 900), Sum("/file", 100)};
  for (int i = 0; i < 12; ++i)
    of.functions.push_back(Sum("f" + std::to_string(i), 100));
  const std::string text = ExplanationText("perl", of);
  EXPECT_THAT(text,
              HasSubstr("perl: 1024 faults, 24 of them major, in 10.0 s"));
  EXPECT_THAT(text, HasSubstr("400 samples by the module's trace event"));
  EXPECT_THAT(text, HasSubstr("certain to 4.9 %"));
  EXPECT_THAT(text,
              HasSubstr("       900  87.9 %         0     0.000 s  [heap]"));
  EXPECT_THAT(text, HasSubstr("200  19.5 %         0     0.000 s  [2 more]"));
  EXPECT_THAT(text,
              HasSubstr("24   2.3 %        24     0.000 s  [not sampled]"));
  EXPECT_THAT(text, Not(HasSubstr("lost")));
}

TEST(ExplanationText, SaysWhatIsMissing) {
  Explanation of;
  of.notes = {"the module is not loaded", "a process is called \x1b[2J"};
  const std::string text = ExplanationText("42", of);
  EXPECT_THAT(text, HasSubstr("42: about 0 faults"));
  EXPECT_THAT(text, HasSubstr("the sums are estimates\nthe module is not "
                              "loaded\na process is called ?[2J\n"));
  EXPECT_THAT(text, Not(HasSubstr("certain")));
  EXPECT_THAT(text, HasSubstr("No fault was sampled.\n"));
}

TEST(ExplanationText, ACallPathReadsUpwards) {
  Explanation of;
  of.samples = 1;
  of.paths = {Sum(std::string("grow\0main", 9), 1)};
  EXPECT_THAT(ExplanationText("42", of), HasSubstr("  grow < main\n"));
}

// Names come from processes, which may want to write to the terminal.
TEST(ExplanationText, HasNoControlCharacters) {
  Explanation of;
  of.samples = 1;
  of.mappings = of.functions =
      of.paths = {Sum("/tmp/\x1b[2Jx\ny\x7f\xc2\x9bz\xff", 1)};
  const std::string text = ExplanationText("42", of);
  EXPECT_THAT(text, HasSubstr("  /tmp/?[2Jx?y??z\xef\xbf\xbd\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace pfe
