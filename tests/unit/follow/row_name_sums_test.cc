// SPDX-License-Identifier: Apache-2.0
// The sums that the follower makes by another name of a row than its comm.
#include "follow/row_name_sums.h"

#include <gtest/gtest.h>

#include "follow/follower.h"
#include "samples.h"

namespace pfe {
namespace {

// Follows rows whose control groups have the names that are given.
class CgroupSumsTest : public testing::Test {
 protected:
  CgroupSumsTest() { follower_.set_max_cgroups(100, false); }

  void Tick(const std::vector<std::pair<Sample, std::string>>& rows) {
    std::vector<Sample> samples;
    RowNames names;
    for (const auto& [sample, name] : rows) {
      samples.push_back(sample);
      names.of_row.push_back(static_cast<uint32_t>(names.names.size()));
      names.names.push_back(name);
    }
    Snapshot snapshot = Of(samples);
    auto table = std::make_shared<Rows>();
    table->processes = std::move(snapshot.processes);
    follower_.Follow(snapshot, std::move(table), false, &names);
    follower_.Commit();
  }
  const NamedSums* SumsOf(const std::string& name) const {
    for (const NamedSums& sums : *follower_.cgroup_sums()->all())
      if (sums.name == name) return &sums;
    return nullptr;
  }
  uint64_t Faults(const std::string& name) const {
    const NamedSums* sums = SumsOf(name);
    return sums ? sums->counters.faults : 0;
  }

  Follower follower_{100, false};
};

TEST_F(CgroupSumsTest, GrowthGoesToTheGroupOfItsTick) {
  Tick({{Live(1, 1, "a", 10), "/one"}, {Live(2, 1, "b", 5), "/two"}});
  EXPECT_EQ(Faults("/one"), 0u) << "the sums begin with the first tick";
  Tick({{Live(1, 1, "a", 17), "/one"}, {Live(2, 1, "b", 8), "/one"}});
  EXPECT_EQ(Faults("/one"), 10u);
  EXPECT_EQ(Faults("/two"), 0u);
  EXPECT_EQ(SumsOf("/one")->processes, 2u);
  EXPECT_EQ(SumsOf("/two")->processes, 0u);
  Tick({{Live(1, 1, "a", 18), "/two"}, {Live(2, 1, "b", 8), "/one"}});
  EXPECT_EQ(Faults("/one"), 10u) << "what it had counted stays there";
  EXPECT_EQ(Faults("/two"), 1u);
}

TEST_F(CgroupSumsTest, AnExitedProcessCounts) {
  Tick({{Live(1, 1, "a", 1), "/one"}});
  Tick({{Exited(1, 1, "a", 3), "/one"},
        {Exited(2, 5000 * kSecond, "b", 40), "/two"}});
  EXPECT_EQ(Faults("/one"), 2u);
  EXPECT_EQ(Faults("/two"), 40u);
  Tick({});
  EXPECT_EQ(Faults("/two"), 40u) << "also when its row is gone";
}

TEST_F(CgroupSumsTest, AllGroupsTogetherAreAllComms) {
  follower_.set_max_cgroups(2, false);
  Tick({{Live(1, 1, "a", 0), "/one"}});
  std::vector<std::pair<Sample, std::string>> rows;
  for (uint32_t pid = 1; pid <= 50; ++pid)
    rows.emplace_back(Live(pid, pid == 1 ? 1 : 5000 * kSecond, "c", pid),
                      "/" + std::to_string(pid % 7));
  Tick(rows);
  uint64_t by_comm = 0, by_cgroup = 0;
  for (const NamedSums& sums : *follower_.sums().all())
    by_comm += sums.counters.faults;
  for (const NamedSums& sums : *follower_.cgroup_sums()->all())
    by_cgroup += sums.counters.faults;
  EXPECT_EQ(by_comm, 1275u);
  EXPECT_EQ(by_cgroup, by_comm);
  EXPECT_EQ(follower_.cgroup_sums()->omitted(), 6u);
  EXPECT_EQ(follower_.cgroup_sums()->all()->size(), 3u);
}

TEST_F(CgroupSumsTest, FaultsAreBySeverityUnlessCellsAreWanted) {
  for (const bool by_cell : {false, true}) {
    Sums sums(10, by_cell);
    Offered offered;
    offered.breakdown = offered.severity = true;
    sums.Begin(kSecond, offered, false);
    RowGrowth growth;
    growth.Clear();
    growth.counters = {3, 2, 1, 0};
    growth.SetCell(4, 2);
    growth.SetCell(16, 1);
    sums.AddAt(sums.PlaceOf("/one"), Live(1, 1, "a", 3), growth);
    sums.Commit();
    const NamedSums& one = sums.all()->at(1);
    EXPECT_EQ(one.counters.faults, 3u);
    EXPECT_EQ(one.breakdown[4], by_cell ? 2u : 0u);
    EXPECT_EQ(one.plain[0], by_cell ? 0u : 2u);
    EXPECT_EQ(one.plain[1], by_cell ? 0u : 1u);
  }
}

// Sums that are switched on later begin at 0 too.
TEST_F(CgroupSumsTest, BeginWhenTheyAreSwitchedOn) {
  Tick({{Live(1, 1, "a", 10), "/one"}});
  Tick({{Live(1, 1, "a", 20), "/one"}});
  follower_.set_max_cgroups(0, false);
  EXPECT_EQ(follower_.cgroup_sums(), nullptr);
  Tick({{Live(1, 1, "a", 30), "/one"}});
  follower_.set_max_cgroups(100, false);
  Tick({{Live(1, 1, "a", 40), "/one"}});
  EXPECT_EQ(Faults("/one"), 0u);
  Tick({{Live(1, 1, "a", 41), "/one"}});
  EXPECT_EQ(Faults("/one"), 1u);
}

// Of sums that are switched on before and after the time is set.
TEST_F(CgroupSumsTest, HoldBackWhatIsBornAboveZero) {
  for (const bool before : {true, false}) {
    RowNameSums sums;
    if (before) sums.SetMax(10, false, false);
    sums.SetBirthHold(60 * kSecond);
    if (!before) sums.SetMax(10, false, false);
    Offered offered;
    offered.severity = true;
    sums.Begin(kSecond, offered, false);
    sums.Commit();
    sums.Begin(2 * kSecond, offered, false);
    RowGrowth growth;
    growth.Clear();
    growth.counters = {5, 5, 0, 0};
    sums.Add(Live(1, 1, "a", 5), {{"/one"}, {0}}, 0, growth);
    sums.Commit();
    EXPECT_EQ(HeldBackOf(*sums.get()->all()).faults, 5u) << before;
  }
}

}  // namespace
}  // namespace pfe
