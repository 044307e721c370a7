// SPDX-License-Identifier: Apache-2.0
#include "follow/selection.h"

#include <gtest/gtest.h>

#include "samples.h"

namespace pfe {
namespace {

using P = std::vector<uint32_t>;

// Processes that a follower has seen, and their states, whose ranks can be set.
struct Ranked {
  Follower follower{1000, true};
  std::vector<RowState> states;

  explicit Ranked(const std::vector<Sample>& processes) { Tick(processes); }
  // `n` processes: the later ones have more faults, and a larger
  // RowState::recent.
  explicit Ranked(uint32_t n) {
    std::vector<Sample> processes;
    for (uint32_t i = 0; i < n; ++i)
      processes.push_back(Live(i + 1, 1, "c" + std::to_string(i), i));
    Tick(processes);
    for (uint32_t i = 0; i < n; ++i) Recent(i) = static_cast<float>(i);
  }
  void Tick(const std::vector<Sample>& processes) {
    pfe::Tick(Of(processes), &follower);
    states = follower.last().states;
  }
  // Another tick with the same processes and ranks.
  void Again() {
    for (uint32_t i = 0; i < states.size(); ++i) {
      states[i].previous = i;
      states[i].renamed = false;
    }
  }
  float& Recent(size_t i) { return states[i].recent; }
  const ProcessTable& Processes() const {
    return follower.last().rows->processes;
  }

  P Pids(const std::vector<uint32_t>& indices) const {
    P pids;
    for (uint32_t i : indices) pids.push_back(Processes()[i].pid);
    return pids;
  }
  P Select(Selection* selection) {
    selection->Select(Processes(), states, follower.last().changes.all);
    Again();
    return Pids(selection->selected());
  }
  P Select(const SelectionRules& rules) {
    // A new Selection selected no row in the tick before.
    for (RowState& state : states) state.previous = kNoRow;
    Selection selection(rules);
    return Select(&selection);
  }
};

TEST(Selection, TakesTheBusiestInOrderOfPid) {
  Ranked all(10);
  Selection selection({.max = 3});
  EXPECT_EQ(all.Select(&selection), (P{8, 9, 10}));
  EXPECT_EQ(selection.omitted(), 7u);
}

TEST(Selection, RssDecidesAmongTheIdle) {
  std::vector<Sample> processes = {Live(1, 1, "a", 0), Live(2, 1, "b", 0),
                                   Live(3, 1, "c", 0)};
  processes[1].rss_kb = 1000;
  EXPECT_EQ(Ranked(processes).Select({.max = 1}), (P{2}));
}

TEST(Selection, DoesNotFlap) {
  Ranked all(2);
  all.Recent(0) = 100;
  all.Recent(1) = 99;
  Selection selection({.max = 1});
  EXPECT_EQ(all.Select(&selection), (P{1}));
  all.Recent(1) = 120;
  EXPECT_EQ(all.Select(&selection), (P{1}));
  all.Recent(1) = 151;
  EXPECT_EQ(all.Select(&selection), (P{2}));
  all.Recent(0) = 160;
  EXPECT_EQ(all.Select(&selection), (P{2}));
}

TEST(Selection, BreakdownsDoNotFlap) {
  const std::vector<Sample> processes = {Live(1, 1, "a", 0), Live(2, 1, "b", 1),
                                         Live(3, 1, "c", 2)};
  Ranked all(processes);
  Selection selection({.breakdown = 1});
  all.Select(&selection);
  all.Tick(processes);
  for (size_t i = 0; i < 3; ++i) all.Recent(i) = 100;
  const auto chosen = [&] {
    all.Select(&selection);
    return all.Pids(selection.broken_down());
  };
  EXPECT_EQ(chosen(), (P{3})) << "it has most faults";
  all.Recent(0) = 149;
  EXPECT_EQ(chosen(), (P{3}));
  EXPECT_FALSE(selection.broken_down_changed());
  all.Recent(0) = 151;
  EXPECT_EQ(chosen(), (P{1}));
  EXPECT_TRUE(selection.broken_down_changed());
  all.Recent(2) = 200;
  EXPECT_EQ(chosen(), (P{1}));
}

TEST(Selection, BreakdownsInOrderOfPid) {
  Ranked all(5);
  const auto chosen = [&](size_t n) {
    for (RowState& state : all.states) state.previous = kNoRow;
    Selection selection({.breakdown = n});
    all.Select(&selection);
    return all.Pids(selection.broken_down());
  };
  EXPECT_EQ(chosen(2), (P{4, 5}));
  EXPECT_EQ(chosen(9).size(), 5u);
  EXPECT_TRUE(chosen(0).empty());
}

TEST(Selection, ByCommAndFaults) {
  Ranked all(12);
  EXPECT_EQ(all.Select({.include = "c1|c2"}), (P{2, 3}));
  EXPECT_EQ(all.Select({.include = "c1.*", .exclude = "c11"}), (P{2, 11}));
  EXPECT_EQ(all.Select({.min_faults = 10}), (P{11, 12}));
  Selection none({.no_pid = true});
  EXPECT_TRUE(all.Select(&none).empty());
  EXPECT_EQ(none.omitted(), 12u);
}

TEST(Selection, OneRowAPid) {
  Ranked all({Live(7, 1, "old", 1), Live(7, 2, "new", 1),
              Exited(8, 1, "gone", 1), Live(6, 5, "new6", 1),
              Live(6, 4, "old6", 1)});
  Selection selection({});
  EXPECT_EQ(all.Select(&selection), (P{6, 7}));
  const ProcessTable& processes = all.Processes();
  EXPECT_EQ(processes.comm(processes[selection.selected()[0]]), "new6");
  EXPECT_EQ(processes.comm(processes[selection.selected()[1]]), "new");
  EXPECT_EQ(selection.omitted(), 2u);
}

TEST(Selection, SaysWhetherItChanged) {
  std::vector<Sample> processes = {Live(1, 1, "a", 1), Live(2, 1, "b", 2)};
  Ranked all(processes);
  Selection selection({});
  const auto changed = [&](const std::vector<Sample>& next) {
    all.Tick(next);
    all.Select(&selection);
    return selection.changed();
  };
  all.Select(&selection);
  EXPECT_TRUE(selection.changed());
  EXPECT_FALSE(changed(processes));
  std::swap(processes[0], processes[1]);
  EXPECT_FALSE(changed(processes)) << "another order of rows";
  processes[0].comm = "renamed";
  EXPECT_TRUE(changed(processes));
  EXPECT_FALSE(changed(processes));
  processes[0].live = false;
  EXPECT_TRUE(changed(processes)) << "one exited";
  processes[0] = Live(9, 5 * kSecond, "new", 1);
  EXPECT_TRUE(changed(processes)) << "one came";
  processes[0] = Live(9, 6 * kSecond, "new", 1);
  EXPECT_TRUE(changed(processes)) << "its pid came again";
  processes.pop_back();
  EXPECT_TRUE(changed(processes)) << "one went";
}

TEST(CheckRegex, SaysWhatIsWrong) {
  EXPECT_EQ(CheckRegex("a.*"), "");
  EXPECT_NE(CheckRegex("a("), "");
}

}  // namespace
}  // namespace pfe
