// SPDX-License-Identifier: Apache-2.0
#include "render/top_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "samples.h"
#include "tick/pipeline.h"

namespace pfe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPod =
    "/kubepods.slice/kubepods-burstable.slice/"
    "kubepods-burstable-pod2f1c7a60_5b0e_4d0b_9a3e_0c5d9f6c1b11.slice/"
    "cri-containerd-"
    "9b1dc4b3a7e94f5d8c6b2a1f0e3d4c5b6a7988776655443322110ffeeddccbba.scope";

// Two ticks, so that there are rates. The control groups of 121 and 123 are a
// unit and a pod; that of 999 is not known.
std::shared_ptr<const View> ViewOf(std::vector<GroupRule> groups = {},
                                   const std::string& odd = "odd") {
  PipelineSettings settings;
  settings.count_first = true;
  settings.procfs = FIXTURES "/procfs";
  settings.pod_logs = FIXTURES "/log";
  settings.groups = std::move(groups);
  FakeSource source;
  for (uint64_t faults : {10u, 20u})
    source.Then(Of({Live(121, 1, "make", faults), Live(123, 1, "cache", 30),
                    Live(124, 1, "make", 2 * faults), Exited(125, 1, "gone", 7),
                    Live(999, 1, odd, 1)}));
  Pipeline pipeline(&source, settings);
  pipeline.Tick();
  return pipeline.Tick();
}

TopSettings By(TopBy by, const std::string& filter = "", size_t rows = 20) {
  return {rows, by, filter};
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The first two columns of each row; names in these tests have no blanks.
std::vector<std::string> Names(const View& view, const TopSettings& settings,
                               size_t width = 0) {
  std::vector<std::string> names;
  for (const std::string& line : Lines(RenderTop(view, settings, width))) {
    std::istringstream in(line);
    std::string number, name;
    in >> number >> name;
    names.push_back(number.append(" ").append(name));
  }
  return names;
}

TEST(TopTable, Processes) {
  const auto view = ViewOf();
  EXPECT_THAT(
      Names(*view, By(TopBy::kProcess)),
      ElementsAre("PID COMM", "124 make", "121 make", "123 cache", "999 odd"));
  EXPECT_THAT(Names(*view, By(TopBy::kProcess, "^ca|dd$")),
              ElementsAre("PID COMM", "123 cache", "999 odd"));
  EXPECT_THAT(Names(*view, By(TopBy::kProcess, "", 1)),
              ElementsAre("PID COMM", "124 make"));
}

TEST(TopTable, CommsWithExitedProcesses) {
  const auto view = ViewOf();
  EXPECT_THAT(
      Names(*view, By(TopBy::kComm)),
      ElementsAre("PROCS COMM", "2 make", "1 cache", "0 gone", "1 odd"));
  const std::string table = RenderTop(*view, By(TopBy::kComm, "^make$"), 0);
  std::istringstream row(Lines(table).at(1));
  std::vector<std::string> cells;
  for (std::string cell; row >> cell;) cells.push_back(cell);
  EXPECT_THAT(cells, ElementsAre("2", "make", "30", "0", "-", "60", "0", "-",
                                 "0.0", "0.0"));
}

TEST(TopTable, GroupsOfRules) {
  const auto view = ViewOf({GroupBy(Field::kComm)});
  EXPECT_THAT(Names(*view, By(TopBy::kGroup, "a")),
              ElementsAre("PROCS GROUP", "2 make", "1 cache"));
  EXPECT_THAT(Names(*ViewOf(), By(TopBy::kGroup)), ElementsAre("PROCS GROUP"));
}

// Found by its pod, and by the path, which is not shown.
TEST(TopTable, ControlGroups) {
  const auto view = ViewOf();
  EXPECT_THAT(Names(*view, By(TopBy::kCgroup)),
              ElementsAre("PROCS CGROUP", "2 unknown", "1 build-farm.service",
                          "1 shop/leaky-cache-0/cache"));
  for (const char* filter : {"^shop/leaky", "^/kubepods"})
    EXPECT_THAT(Names(*view, By(TopBy::kCgroup, filter)),
                ElementsAre("PROCS CGROUP", "1 shop/leaky-cache-0/cache"));
}

TEST(TopTable, FitsIntoATerminal) {
  GroupRule rule;
  rule.name = kPod;
  const auto view = ViewOf({rule});
  for (TopBy by :
       {TopBy::kProcess, TopBy::kComm, TopBy::kGroup, TopBy::kCgroup})
    for (size_t width : {70u, 80u, 90u, 100u, 120u, 200u}) {
      const auto lines = Lines(RenderTop(*view, By(by), width));
      for (const std::string& line : lines) {
        // A cut name has one character of three bytes.
        const bool cut = line.find("…") != std::string::npos;
        EXPECT_LE(line.size() - (cut ? 2 : 0), width) << line;
        EXPECT_EQ(line.size() - (cut ? 2 : 0), lines[0].size()) << line;
      }
      for (const char* title : {"FAULTS/s", "MAJOR/s", "STALL%", "RSS MB"})
        EXPECT_THAT(lines[0], HasSubstr(title));
    }
  // At 100 columns there is room for all numbers of processes, and for pods.
  EXPECT_THAT(RenderTop(*view, By(TopBy::kProcess), 100), HasSubstr("VMA MB"));
  EXPECT_THAT(RenderTop(*view, By(TopBy::kProcess), 80),
              Not(HasSubstr("VMA MB")));
  EXPECT_THAT(RenderTop(*view, By(TopBy::kCgroup), 80),
              HasSubstr(" shop/leaky-cache-0/cache "));
}

// The end of a path is kept, and the beginning of a comm.
TEST(TopTable, CutsNames) {
  const std::string comm = "a-comm-of-kworker-that-is-long";
  GroupRule rule;
  rule.name = kPod;
  rule.expressions[Field::kComm] = "cache";
  const auto view = ViewOf({rule}, comm);
  EXPECT_THAT(
      Names(*view, By(TopBy::kGroup, "kubepods"), 80),
      ElementsAre("PROCS GROUP", "1 …" + std::string(kPod).substr(
                                             std::string(kPod).size() - 30)));
  EXPECT_THAT(Names(*view, By(TopBy::kGroup, "kubepods")),
              ElementsAre("PROCS GROUP", "1 " + std::string(kPod)));
  EXPECT_THAT(Names(*view, By(TopBy::kComm, "^a-"), 80),
              ElementsAre("PROCS COMM", "1 " + comm.substr(0, 18) + "…"));
}

TEST(TopTable, ControlCharactersAndLongCharacters) {
  const auto view = ViewOf({}, "\x1b[2J\u009bé€𝄞");
  const std::string table = RenderTop(*view, By(TopBy::kComm), 0);
  EXPECT_THAT(table, HasSubstr(" ?[2J?é€𝄞 "));
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
  // No character is cut in two.
  const auto longer = ViewOf({}, "0123456789012345ééééééé");
  EXPECT_THAT(RenderTop(*longer, By(TopBy::kComm), 80),
              HasSubstr("0123456789012345éé… "));
}

}  // namespace
}  // namespace pfe
