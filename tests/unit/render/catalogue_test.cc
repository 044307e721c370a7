// SPDX-License-Identifier: Apache-2.0
#include "render/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace pfe {
namespace {

TEST(Catalogue, FollowsTheConventions) {
  std::set<std::string> names;
  for (const MetricInfo& info : Catalogue()) {
    const std::string name = info.name;
    EXPECT_TRUE(names.insert(name).second) << name << " comes twice";
    EXPECT_EQ(name.ends_with("_total"), std::string(info.type) == "counter")
        << name;
    const std::string help = info.help;
    EXPECT_TRUE(help.ends_with('.')) << name;
    EXPECT_EQ(help.find_first_of("\n\\"), std::string::npos) << name;
  }
}

TEST(HeadOf, TextAndOpenMetrics) {
  EXPECT_THAT(HeadOf(InfoOf(Metric::kFaults), false),
              testing::HasSubstr("# TYPE page_faults_total counter\n"));
  EXPECT_THAT(HeadOf(InfoOf(Metric::kFaults), true),
              testing::HasSubstr("# TYPE page_faults counter\n"));
  EXPECT_THAT(HeadOf(InfoOf(Metric::kVma), true),
              testing::HasSubstr("# TYPE vma_bytes gauge\n"));
}

// The README has a row for each metric: | `name` | type | labels | help |
TEST(Catalogue, IsTheReadmesTable) {
  std::ifstream file(README);
  ASSERT_TRUE(file);
  std::set<std::string> rows, expected;
  for (std::string line; std::getline(file, line);)
    for (const char* type :
         {"` | counter | ", "` | gauge | ", "` | histogram | "})
      if (line.find(type) != std::string::npos) rows.insert(line);
  for (const MetricInfo& info : Catalogue())
    expected.insert(std::string("| `") + info.name + "` | " + info.type +
                    " | " + info.labels + " | " + info.help + " |");
  EXPECT_EQ(rows, expected);
}

}  // namespace
}  // namespace pfe
