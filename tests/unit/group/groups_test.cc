// SPDX-License-Identifier: Apache-2.0
#include "group/groups.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

#include "fake_procfs.h"
#include "no_users.h"
#include "samples.h"

namespace pfe {
namespace {

constexpr uint64_t kStart = 100 * kSecond;

class GroupsTest : public testing::Test {
 protected:
  GroupsTest() {
    SetRules("jar:{{cmdline.1}}", Field::kCmdline, "-jar (\\S+)");
  }
  void SetRules(const std::string& name, Field field,
                const std::string& expression) {
    GroupRule rule;
    rule.name = name;
    rule.expressions[field] = expression;
    groups_.SetRules({rule});
  }
  void Start(uint32_t pid, const std::string& cmdline) {
    procfs_.Start(pid, kStart);
    procfs_.SetCmdline(pid, cmdline);
  }
  // The names of one tick.
  std::vector<std::string> Tick(const std::vector<Sample>& samples,
                                bool commit = true) {
    auto rows = std::make_unique<Rows>();
    for (const Sample& sample : samples) Add(sample, &rows->processes);
    groups_.Follow(procfs_.root(), *rows_, true, rows->processes, now_ns_,
                   cgroups_.get());
    std::vector<std::string> names;
    for (size_t i = 0; i < samples.size(); ++i) names.push_back(groups_.Of(i));
    if (!commit) return names;
    groups_.Commit();
    for (const Process& process : rows->processes)
      rows->youngest_ns = std::max(rows->youngest_ns, process.start_ns);
    rows_ = std::move(rows);
    return names;
  }
  using Names = std::vector<std::string>;

  // A tick reads as long as it likes, unless a test says how long a read takes.
  static uint64_t Clock() { return clock_ns_ += read_ns_; }
  inline static uint64_t clock_ns_ = 0, read_ns_ = 0;

  FakeProcesses procfs_;
  Groups groups_{Clock};
  std::unique_ptr<Rows> rows_ = std::make_unique<Rows>();
  std::unique_ptr<const CgroupTable> cgroups_;  // by the ids of the table
  uint64_t now_ns_ = kStart + 10 * kSecond;
};

TEST_F(GroupsTest, ReadsAProcessOnce) {
  Start(1, "java -jar a.jar");
  Start(2, "bash");
  const std::vector<Sample> samples = {Live(1, kStart, "java", 0),
                                       Live(2, kStart, "bash", 0)};
  EXPECT_EQ(Tick(samples), (Names{"jar:a.jar", "bash"}));
  procfs_.SetCmdline(1, "java -jar b.jar");
  EXPECT_EQ(Tick(samples), (Names{"jar:a.jar", "bash"}));
}

TEST_F(GroupsTest, ANewCommIsReadAgain) {
  Start(1, "bash");
  EXPECT_EQ(Tick({Live(1, kStart, "bash", 0)}), Names{"bash"});
  procfs_.SetCmdline(1, "java -jar a.jar");
  EXPECT_EQ(Tick({Live(1, kStart, "java", 0)}), Names{"jar:a.jar"});
}

// It had the command line of its parent, and the exec does not change the comm.
TEST_F(GroupsTest, AYoungProcessIsReadAgain) {
  now_ns_ = kStart + Groups::kYoungNs - 1;
  Start(1, "java -jar parent.jar");
  EXPECT_EQ(Tick({Live(1, kStart, "java", 0)}), Names{"jar:parent.jar"});
  procfs_.SetCmdline(1, "java -jar child.jar");
  now_ns_ += 1;
  EXPECT_EQ(Tick({Live(1, kStart, "java", 0)}), Names{"jar:child.jar"});
  procfs_.SetCmdline(1, "java -jar other.jar");
  EXPECT_EQ(Tick({Live(1, kStart, "java", 0)}), Names{"jar:child.jar"});
}

TEST_F(GroupsTest, APidThatComesAgainIsAnotherProcess) {
  Start(1, "java -jar a.jar");
  EXPECT_EQ(Tick({Live(1, kStart, "java", 0)}), Names{"jar:a.jar"});
  procfs_.Start(1, kStart + kSecond);
  procfs_.SetCmdline(1, "java -jar b.jar");
  EXPECT_EQ(Tick({Live(1, kStart + kSecond, "java", 0)}), Names{"jar:b.jar"});
}

TEST_F(GroupsTest, AnExitedProcessKeepsItsGroup) {
  Start(1, "java -jar a.jar");
  Tick({Live(1, kStart, "java", 0)});
  procfs_.Remove(1);
  EXPECT_EQ(Tick({Live(1, kStart, "java", 0)}), Names{"jar:a.jar"});
  EXPECT_EQ(Tick({Exited(1, kStart, "java", 0)}), Names{"jar:a.jar"});
}

TEST_F(GroupsTest, AProcessThatExitedBeforeIsNamedByTheTable) {
  GroupRule jar, java;
  jar.name = "jar:{{cmdline.1}}";
  jar.expressions[Field::kCmdline] = "-jar (\\S+)";
  java.name = "some java";
  java.expressions[Field::kComm] = "java";
  groups_.SetRules({jar, java});
  EXPECT_EQ(Tick({Exited(1, kStart, "java", 0), Exited(2, kStart, "sh", 0)}),
            (Names{"some java", "sh"}));
  // It runs another program than the one whose command line was read.
  Start(3, "java -jar a.jar");
  EXPECT_EQ(Tick({Live(3, kStart, "java", 0)}), Names{"jar:a.jar"});
  EXPECT_EQ(Tick({Exited(3, kStart, "sh", 0)}), Names{"sh"});
}

TEST_F(GroupsTest, ReadsAreBounded) {
  constexpr auto kMost = static_cast<uint32_t>(Groups::kMostReads);
  std::vector<Sample> samples;
  for (uint32_t pid = 1; pid <= kMost + 1; ++pid)
    samples.push_back(Live(pid, kStart, "java", 0));
  Start(1, "java -jar first.jar");
  Start(kMost + 1, "java -jar last.jar");
  EXPECT_EQ(Tick(samples).back(), "java");
  // The others are gone: no process is there in this procfs.
  samples = {samples.front(), samples.back()};
  EXPECT_EQ(Tick(samples), (Names{"jar:first.jar", "jar:last.jar"}));
}

TEST_F(GroupsTest, TheTimeOfReadsIsBounded) {
  std::vector<Sample> samples;
  for (uint32_t pid = 1; pid <= 4; ++pid) {
    Start(pid, "java -jar a.jar");
    samples.push_back(Live(pid, kStart, "java", 0));
  }
  read_ns_ = Groups::kMostReadNs / 3;
  EXPECT_EQ(Tick(samples),
            (Names{"jar:a.jar", "jar:a.jar", "jar:a.jar", "java"}));
  EXPECT_EQ(Tick(samples), Names(4, "jar:a.jar"));
  read_ns_ = 0;
}

TEST_F(GroupsTest, AUserThatCannotBeLookedUpIsLookedUpInTheNextTick) {
  groups_.SetRules({GroupBy(Field::kUser)});
  procfs_.Start(1, kStart);
  {
    const NoUsers none(EIO);
    EXPECT_EQ(Tick({Live(1, kStart, "sh", 0)}), Names{"sh"});
    EXPECT_EQ(groups_.error(), "users cannot be looked up: Input/output error");
  }
  EXPECT_NE(Tick({Live(1, kStart, "sh", 0)}), Names{"sh"});
  EXPECT_EQ(groups_.error(), "");
}

// There "/" is the daemon's own container, and not the host's root.
TEST_F(GroupsTest, NoControlGroupsWithAnotherRoot) {
  procfs_.Start(1, kStart);
  procfs_.Write(1, "cgroup", "0::/../../init.scope\n");
  procfs_.Start(2, kStart);
  procfs_.Write(2, "cgroup", "0::/ci.service\n");
  groups_.SetRules({GroupBy(Field::kCgroup)});
  EXPECT_EQ(Tick({Live(1, kStart, "init", 0), Live(2, kStart, "ci", 0)}),
            (Names{"init", "ci"}));
}

// The hybrid layout, and a runtime of version 1.
TEST_F(GroupsTest, UnitsAreThoseOfTheHierarchyThatSystemdUses) {
  const std::string unified = "0::/system.slice/containerd.service\n";
  procfs_.Start(1, kStart);
  procfs_.Write(1, "cgroup", "1:name=systemd:/init.scope\n0::/init.scope\n");
  procfs_.Start(2, kStart);
  procfs_.Write(2, "cgroup", "1:name=systemd:/machine/a.scope\n" + unified);
  procfs_.Start(3, kStart);
  procfs_.Write(3, "cgroup", "1:name=systemd:/kubepods/pod1/c\n" + unified);
  groups_.SetRules({GroupBy(Field::kUnit)});
  EXPECT_EQ(Tick({Live(1, kStart, "init", 0), Live(2, kStart, "sh", 0),
                  Live(3, kStart, "sh", 0)}),
            (Names{"init.scope", "a.scope", "sh"}));
}

// Else it would have the unit of the runtime for good.
TEST_F(GroupsTest, NoUnitsBeforeTheLayoutIsKnown) {
  procfs_.Start(1, kStart);
  procfs_.Write(1, "cgroup", "1:name=systemd:/init.scope\n0::/init.scope\n");
  procfs_.Start(2, kStart);
  procfs_.Write(2, "cgroup",
                "1:name=systemd:/machine/a.scope\n"
                "0::/system.slice/containerd.service\n");
  const std::string file = procfs_.root() + "/1/cgroup";
  std::filesystem::rename(file, file + "_");
  std::filesystem::create_symlink("cgroup", file);
  groups_.SetRules({GroupBy(Field::kUnit)});
  EXPECT_EQ(Tick({Live(2, kStart, "sh", 0)}), Names{"sh"});
  EXPECT_EQ(groups_.error(), "the layout of control groups cannot be read: " +
                                 file + ": Too many levels of symbolic links");
  std::filesystem::rename(file + "_", file);
  EXPECT_EQ(Tick({Live(2, kStart, "sh", 0)}), Names{"a.scope"});
  EXPECT_EQ(groups_.error(), "");
}

TEST_F(GroupsTest, WithoutRulesThereIsNoError) {
  procfs_.Start(1, kStart);
  std::filesystem::create_symlink("cmdline", procfs_.root() + "/1/cmdline");
  Tick({Live(1, kStart, "sh", 0)});
  EXPECT_NE(groups_.error(), "");
  groups_.SetRules({});
  EXPECT_EQ(groups_.error(), "");
}

TEST_F(GroupsTest, NewRulesNameAllAgain) {
  Start(1, "java -jar a.jar");
  EXPECT_EQ(Tick({Live(1, kStart, "java", 0)}), Names{"jar:a.jar"});
  SetRules("{{comm}}!", Field::kComm, ".*");
  EXPECT_EQ(Tick({Live(1, kStart, "java", 0)}), Names{"java!"});
  SetRules("{{cmdline.1}}", Field::kCmdline, "(java)");
  EXPECT_EQ(Tick({Live(1, kStart, "java", 0)}), Names{"java"});
  groups_.SetRules({});
  EXPECT_FALSE(groups_.has_rules());
}

TEST_F(GroupsTest, ATickThatIsNotCommittedHasNoEffect) {
  Start(1, "java -jar a.jar");
  EXPECT_EQ(Tick({Live(1, kStart, "java", 0)}), Names{"jar:a.jar"});
  EXPECT_EQ(Tick({}, false), Names{});
  procfs_.Remove(1);
  EXPECT_EQ(Tick({Exited(1, kStart, "java", 0)}), Names{"jar:a.jar"});
}

TEST_F(GroupsTest, UnitsComeFromControlGroups) {
  procfs_.Start(1, kStart);
  procfs_.Write(1, "cgroup", "0::/system.slice/shop.service\n");
  groups_.SetRules({GroupBy(Field::kUnit)});
  EXPECT_EQ(Tick({Live(1, kStart, "java", 0)}), Names{"shop.service"});
  groups_.SetRules({GroupBy(Field::kCgroup)});
  EXPECT_EQ(Tick({Live(1, kStart, "java", 0)}),
            Names{"/system.slice/shop.service"});
}

class GroupsByIdsTest : public GroupsTest {
 protected:
  static constexpr uint64_t kShop = 7;
  GroupsByIdsTest() {
    auto shop = std::make_shared<Cgroup>();
    shop->path = "/system.slice/shop.service";
    shop->info.unit = "shop.service";
    cgroups_ = std::make_unique<const CgroupTable>(
        std::make_shared<const CgroupTable::ById>(
            CgroupTable::ById{{kShop, shop}}));
  }
  static Sample In(uint64_t cgroup, Sample sample) {
    sample.cgroup = cgroup;
    return sample;
  }
};

TEST_F(GroupsByIdsTest, AnExitedProcessThatWasNeverReadHasAUnit) {
  groups_.SetRules({GroupBy(Field::kUnit)});
  EXPECT_EQ(Tick({In(kShop, Exited(1, kStart, "java", 0)),
                  In(8, Exited(2, kStart, "sh", 0))}),
            (Names{"shop.service", "sh"}));
}

TEST_F(GroupsByIdsTest, TheTableIsBelievedAndNotProcfs) {
  procfs_.Start(1, kStart);
  procfs_.Write(1, "cgroup", "0::/../other.service\n");
  GroupRule rule;
  rule.name = "{{unit}} {{cgroup}} {{cmdline.0}}";
  rule.expressions[Field::kCmdline] = ".*";
  procfs_.SetCmdline(1, "java -jar a.jar");
  groups_.SetRules({rule});
  EXPECT_EQ(Tick({In(kShop, Live(1, kStart, "java", 0))}),
            Names{"shop.service /system.slice/shop.service java -jar a.jar"});
}

TEST_F(GroupsByIdsTest, AGroupThatIsFoundLater) {
  groups_.SetRules({GroupBy(Field::kUnit)});
  const auto found = std::move(cgroups_);
  cgroups_ = std::make_unique<const CgroupTable>(
      std::make_shared<const CgroupTable::ById>());
  for (int tick = 0; tick < 3; ++tick)
    EXPECT_EQ(Tick({In(kShop, Live(1, kStart, "java", 0))}), Names{"java"});
  cgroups_ = std::make_unique<const CgroupTable>(*found);
  EXPECT_EQ(Tick({In(kShop, Live(1, kStart, "java", 0))}),
            Names{"shop.service"});
}

TEST_F(GroupsByIdsTest, AGroupThatIsFoundLaterWithACommandLine) {
  GroupRule unit = GroupBy(Field::kUnit), jar;
  jar.name = "jar:{{cmdline.1}}";
  jar.expressions[Field::kCmdline] = "-jar (\\S+)";
  groups_.SetRules({unit, jar});
  const auto found = std::move(cgroups_);
  cgroups_ = std::make_unique<const CgroupTable>(
      std::make_shared<const CgroupTable::ById>());
  Start(1, "java -jar a.jar");
  EXPECT_EQ(Tick({In(kShop, Live(1, kStart, "java", 0))}), Names{"jar:a.jar"});
  cgroups_ = std::make_unique<const CgroupTable>(*found);
  EXPECT_EQ(Tick({In(kShop, Live(1, kStart, "java", 0))}),
            Names{"shop.service"});
}

// systemd forks, and the child moves to the unit's group before its exec.
TEST_F(GroupsByIdsTest, AYoungProcessIsNamedAgain) {
  groups_.SetRules({GroupBy(Field::kUnit)});
  now_ns_ = kStart + Groups::kYoungNs - 1;
  EXPECT_EQ(Tick({In(1, Live(1, kStart, "java", 0))}), Names{"java"});
  now_ns_ += 1;
  EXPECT_EQ(Tick({In(kShop, Live(1, kStart, "java", 0))}),
            Names{"shop.service"});
}

// An sshd moves to the scope of its session, long after it has started.
TEST_F(GroupsByIdsTest, AProcessThatMovesIsNamedAgain) {
  groups_.SetRules({GroupBy(Field::kUnit)});
  EXPECT_EQ(Tick({In(kShop, Live(1, kStart, "sh", 0))}), Names{"shop.service"});
  EXPECT_EQ(Tick({In(1, Live(1, kStart, "sh", 0))}), Names{"sh"});
  EXPECT_EQ(Tick({In(kShop, Exited(1, kStart, "sh", 0))}),
            Names{"shop.service"});
}

TEST_F(GroupsByIdsTest, AProcessThatMovesIsReadAgain) {
  GroupRule rule;
  rule.name = "{{unit}} {{cmdline.0}}";
  rule.expressions[Field::kCmdline] = ".*";
  groups_.SetRules({rule});
  Start(1, "first");
  EXPECT_EQ(Tick({In(1, Live(1, kStart, "sh", 0))}), Names{"sh"});
  procfs_.SetCmdline(1, "second");
  EXPECT_EQ(Tick({In(kShop, Live(1, kStart, "sh", 0))}),
            Names{"shop.service second"});
  procfs_.SetCmdline(1, "third");
  EXPECT_EQ(Tick({In(kShop, Live(1, kStart, "sh", 0))}),
            Names{"shop.service second"});
  procfs_.Remove(1);
  EXPECT_EQ(Tick({In(1, Exited(1, kStart, "sh", 0))}),
            Names{"shop.service second"})
      << "it cannot be read again";
}

// No rule asks for its control group.
TEST_F(GroupsByIdsTest, AMoveIsNoReasonToReadACommandLine) {
  Start(1, "java -jar a.jar");
  EXPECT_EQ(Tick({In(1, Live(1, kStart, "java", 0))}), Names{"jar:a.jar"});
  procfs_.SetCmdline(1, "java -jar b.jar");
  EXPECT_EQ(Tick({In(kShop, Live(1, kStart, "java", 0))}), Names{"jar:a.jar"});
}

}  // namespace
}  // namespace pfe
