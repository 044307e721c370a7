// SPDX-License-Identifier: Apache-2.0
#include "selection.h"

#include <gtest/gtest.h>

#include "samples.h"

namespace pfe {
namespace {

std::vector<Tracked> Many(int n) {
  std::vector<Tracked> all;
  for (int i = 0; i < n; ++i) {
    Tracked& tracked = all.emplace_back();
    tracked.process = Live(static_cast<uint64_t>(i + 1), 1,
                           "c" + std::to_string(i), static_cast<uint64_t>(i));
    tracked.recent = i;
  }
  return all;
}

std::vector<uint64_t> Pids(const std::vector<const Tracked*>& selected) {
  std::vector<uint64_t> pids;
  for (const Tracked* tracked : selected) pids.push_back(tracked->process.pid);
  return pids;
}

using P = std::vector<uint64_t>;

TEST(Selection, TakesTheBusiestInOrderOfPid) {
  auto all = Many(10);
  Selection selection({.max = 3});
  EXPECT_EQ(Pids(selection.Select(&all)), (P{8, 9, 10}));
  EXPECT_EQ(selection.omitted(), 7u);
}

TEST(Selection, RssDecidesAmongTheIdle) {
  auto all = Many(3);
  for (Tracked& tracked : all) tracked.recent = 0;
  all[1].process.rss_kb = 1000;
  EXPECT_EQ(Pids(Selection({.max = 1}).Select(&all)), (P{2}));
}

TEST(Selection, DoesNotFlap) {
  auto all = Many(2);
  all[0].recent = 100;
  all[1].recent = 99;
  Selection selection({.max = 1});
  EXPECT_EQ(Pids(selection.Select(&all)), (P{1}));
  all[1].recent = 120;
  EXPECT_EQ(Pids(selection.Select(&all)), (P{1}));
  all[1].recent = 151;
  EXPECT_EQ(Pids(selection.Select(&all)), (P{2}));
  all[0].recent = 160;
  EXPECT_EQ(Pids(selection.Select(&all)), (P{2}));
}

TEST(Selection, ByCommAndFaults) {
  auto all = Many(12);
  EXPECT_EQ(Pids(Selection({.include = "c1|c2"}).Select(&all)), (P{2, 3}));
  EXPECT_EQ(Pids(Selection({.include = "c1.*", .exclude = "c11"}).Select(&all)),
            (P{2, 11}));
  EXPECT_EQ(Pids(Selection({.min_faults = 10}).Select(&all)), (P{11, 12}));
  Selection none({.no_pid = true});
  EXPECT_TRUE(none.Select(&all).empty());
  EXPECT_EQ(none.omitted(), 12u);
}

TEST(Selection, OneRowAPid) {
  std::vector<Tracked> all(3);
  all[0].process = Live(7, 1, "old", 1);
  all[1].process = Live(7, 2, "new", 1);
  all[2].process = Exited(8, 1, "gone", 1);
  const auto selected = Selection({}).Select(&all);
  ASSERT_EQ(selected.size(), 1u);
  EXPECT_EQ(selected[0]->process.comm, "new");
}

TEST(Busiest, KeepsTheOrder) {
  auto all = Many(5);
  const auto selected = Selection({}).Select(&all);
  EXPECT_EQ(Pids(Busiest(selected, 2)), (P{4, 5}));
  EXPECT_EQ(Busiest(selected, 9).size(), 5u);
  EXPECT_TRUE(Busiest(selected, 0).empty());
}

TEST(CheckRegex, SaysWhatIsWrong) {
  EXPECT_EQ(CheckRegex("a.*"), "");
  EXPECT_NE(CheckRegex("a("), "");
}

}  // namespace
}  // namespace pfe
