// SPDX-License-Identifier: Apache-2.0
#include "render/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>

namespace pfe {
namespace {

TEST(Catalogue, FollowsTheConventions) {
  std::set<std::string> names;
  for (const MetricInfo& info : Catalogue()) {
    const std::string name = info.name;
    EXPECT_TRUE(names.insert(name).second) << name << " comes twice";
    EXPECT_EQ(name.ends_with("_total"), std::string(info.type) == "counter")
        << name;
    EXPECT_EQ(name.ends_with("_info"), std::string(info.type) == "info")
        << name;
    const std::string help = info.help;
    EXPECT_TRUE(help.ends_with('.')) << name;
    // No head is escaped. OpenMetrics would have a quotation mark escaped, and
    // the text format would not.
    EXPECT_EQ(help.find_first_of("\n\\\""), std::string::npos) << name;
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

TEST(HeadOf, OpenMetricsHasUnitsAndInfos) {
  using testing::EndsWith;
  using testing::HasSubstr;
  using testing::Not;
  for (const auto& [metric, unit] :
       {std::pair(Metric::kVma, "\n# UNIT vma_bytes bytes\n"),
        std::pair(Metric::kCpu, "\n# UNIT process_cpu_seconds seconds\n"),
        std::pair(Metric::kLatency,
                  "\n# UNIT page_fault_latency_seconds seconds\n")}) {
    EXPECT_THAT(HeadOf(InfoOf(metric), true), EndsWith(unit));
    EXPECT_THAT(HeadOf(InfoOf(metric), false), Not(HasSubstr("UNIT")));
  }
  EXPECT_THAT(HeadOf(InfoOf(Metric::kFaults), true), Not(HasSubstr("UNIT")));
  EXPECT_THAT(HeadOf(InfoOf(Metric::kBuildInfo), true),
              EndsWith("\n# TYPE page_fault_exporter_build info\n"));
  EXPECT_THAT(HeadOf(InfoOf(Metric::kBuildInfo), false),
              EndsWith("\n# TYPE page_fault_exporter_build_info gauge\n"));
}

// Where a table of the page begins: at these metrics.
constexpr std::pair<Metric, const char*> kTables[] = {
    {Metric::kFaults, "Processes"},
    {Metric::kCommFaults, "Sums by comm"},
    {Metric::kCgroupFaults, "Sums by control group"},
    {Metric::kGroupFaults, "Sums by group"},
    {Metric::kLatency, "The host"},
    {Metric::kModuleInfo, "The kernel module"},
    {Metric::kBuildInfo, "The exporter"}};

std::string Tables() {
  std::string text;
  for (const MetricInfo& info : Catalogue()) {
    for (const auto& [first, title] : kTables)
      if (info.metric == first)
        text += std::string("\n### ") + title +
                "\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n";
    text += std::string("| `") + info.name + "` | " + info.type + " | " +
            info.labels + " | " + info.help + " |\n";
  }
  return text + "\n";
}

TEST(Catalogue, IsWhatThePageOfMetricsShows) {
  const std::string begin = "<!-- metrics: tests/unit -->\n";
  std::stringstream page;
  page << std::ifstream(METRICS_PAGE).rdbuf();
  const std::string text = page.str();
  const size_t start = text.find(begin), end = text.find("<!-- end of metrics");
  ASSERT_NE(start, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const size_t first = start + begin.size();
  if (std::getenv("UPDATE_PAGES"))
    std::ofstream(METRICS_PAGE)
        << text.substr(0, first) + Tables() + text.substr(end);
  else
    EXPECT_TRUE(text.substr(first, end - first) == Tables())
        << METRICS_PAGE << " is not of this catalogue; it says how to renew it";
}

}  // namespace
}  // namespace pfe
