// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fake_procfs.h"
#include "samples.h"

namespace pfe {
namespace {

namespace fs = std::filesystem;

constexpr double kTickSeconds = 5;

// A temporary procfs with control groups in it.
class CgroupCacheTest : public testing::Test {
 protected:
  CgroupCacheTest() : root_(procfs_.root()), names_(root_ + "/log") {}

  void Put(uint32_t pid, const std::string& path, uint64_t start_ns = 1) {
    procfs_.Start(pid, start_ns);
    procfs_.Write(pid, "cgroup", "0::" + path + "\n");
  }
  void Update(const std::vector<Sample>& samples) {
    table_.Clear();
    selected_.clear();
    for (const Sample& sample : samples) {
      selected_.push_back(static_cast<uint32_t>(table_.size()));
      Add(sample, &table_);
    }
    names_.Begin(kTickSeconds);
    layout_.Update(root_);
    cache_.Update(root_, layout_.layout(), table_, selected_, kTickSeconds,
                  &names_);
  }
  std::string Of(size_t i) const {
    const Cgroup* cgroup = cache_.table()->Of(table_[i]);
    return cgroup ? cgroup->path : "";
  }

  PodName NameOf(size_t i) const {
    const Cgroup* cgroup = cache_.table()->Of(table_[i]);
    return cgroup ? cgroup->name : PodName();
  }

  FakeProcesses procfs_;
  const std::string root_;
  PodNames names_;
  LayoutReader layout_;
  ProcessTable table_;
  std::vector<uint32_t> selected_;
  CgroupCache cache_;
};

TEST_F(CgroupCacheTest, ReadsAtFirstSight) {
  Put(1, "/init.scope");
  Put(2, "/system.slice/a\"b.service");
  Update({Live(1, 1, "a", 0), Live(2, 1, "b", 0), Live(3, 1, "gone", 0)});
  EXPECT_EQ(Of(0), "/init.scope");
  EXPECT_EQ(Of(1), "/system.slice/a\"b.service");
  EXPECT_EQ(Of(2), "");
  EXPECT_TRUE(cache_.changed());
  Update({Live(1, 1, "a", 0), Live(2, 1, "b", 0)});
  EXPECT_FALSE(cache_.changed());
}

// Every move is seen within kTurnSeconds, although a tick reads only a part of
// the processes.
TEST_F(CgroupCacheTest, AMoveIsSeen) {
  std::vector<Sample> samples;
  for (uint32_t pid = 1; pid <= 50; ++pid) {
    Put(pid, "/old");
    samples.push_back(Live(pid, 1, "a", 0));
  }
  Update(samples);
  for (uint32_t pid = 1; pid <= 50; ++pid) Put(pid, "/new");
  size_t moved = 0;
  const int ticks = static_cast<int>(CgroupCache::kTurnSeconds / kTickSeconds);
  for (int tick = 0; tick < ticks; ++tick) {
    Update(samples);
    size_t now = 0;
    for (size_t i = 0; i < 50; ++i) now += Of(i) == "/new";
    EXPECT_LE(now - moved, 5u);
    EXPECT_EQ(cache_.changed(), now != moved);
    moved = now;
  }
  EXPECT_EQ(moved, 50u);
}

TEST_F(CgroupCacheTest, KeepsWhatCannotBeReadAnyMore) {
  Put(1, "/a");
  Update({Live(1, 1, "a", 0)});
  fs::remove_all(root_ + "/1");
  for (int tick = 0; tick < 3; ++tick) Update({Live(1, 1, "a", 0)});
  EXPECT_EQ(Of(0), "/a");
}

TEST_F(CgroupCacheTest, APidThatComesAgainIsReadAgain) {
  Put(1, "/a", kSecond);
  Update({Live(1, kSecond, "a", 0)});
  Put(1, "/b", 2 * kSecond);
  Update({Live(1, 2 * kSecond, "a", 0)});
  EXPECT_EQ(Of(0), "/b");
  // The same process, with the start that /proc gives.
  Update({Live(1, 2 * kSecond + 7, "a", 0)});
  EXPECT_EQ(Of(0), "/b");
  // A process that has gone is forgotten: the next one with its identity is
  // read at once.
  Update({});
  Put(1, "/c", 2 * kSecond);
  Update({Live(1, 2 * kSecond + 7, "a", 0)});
  EXPECT_EQ(Of(0), "/c");
}

// /proc has another process with the pid.
TEST_F(CgroupCacheTest, AnotherProcessIsNotReadForIt) {
  Put(5, "/victim.service", 2 * kSecond);
  for (int tick = 0; tick < 20; ++tick) {
    Update({Exited(5, kSecond, "a", 0), Live(6, kSecond, "b", 0)});
    EXPECT_EQ(Of(0), "");
  }
  Update({Live(5, kSecond, "a", 0)});
  EXPECT_EQ(Of(0), "");
}

TEST_F(CgroupCacheTest, AnExitedProcessBesideALiveOneWithItsPid) {
  Put(1, "/a", kSecond);
  Update({Live(1, kSecond, "a", 0)});
  Put(1, "/b", 2 * kSecond);
  for (int tick = 0; tick < 20; ++tick) {
    Update({Exited(1, kSecond, "a", 0), Live(1, 2 * kSecond, "b", 0)});
    EXPECT_EQ(Of(0), "/a");
    EXPECT_EQ(Of(1), "/b");
  }
}

TEST_F(CgroupCacheTest, NoMoreReadsATickThanThat) {
  std::vector<Sample> samples;
  for (uint32_t pid = 1; pid <= CgroupCache::kMostReads + 1; ++pid)
    samples.push_back(Live(pid, 1, "a", 0));
  Put(CgroupCache::kMostReads + 1, "/last");
  Update(samples);
  EXPECT_EQ(Of(CgroupCache::kMostReads), "");
  Update(samples);
  EXPECT_EQ(Of(CgroupCache::kMostReads), "/last");
}

// A name that is known only later. The table of the tick before stays as it is:
// a view holds it.
TEST_F(CgroupCacheTest, ANameThatComesLater) {
  const std::string id(64, 'a');
  const std::string pod = "/kubepods/pod8277e0910d750195b448797616e091ad";
  Put(1, pod + "/" + id);
  Put(2, pod + "/" + id);
  Put(3, "/init.scope");
  const std::vector<Sample> samples = {Live(1, 1, "a", 0), Live(2, 1, "b", 0),
                                       Live(3, 1, "c", 0)};
  Update(samples);
  EXPECT_EQ(NameOf(0), PodName());
  const auto before = cache_.table();

  fs::create_directories(root_ +
                         "/log/pods/shop_web_8277e0910d750195b448797616e091ad");
  Update(samples);
  EXPECT_TRUE(cache_.changed());
  EXPECT_EQ(NameOf(0), (PodName{"shop", "web", ""}));
  fs::create_directories(root_ + "/log/containers");
  const std::ofstream log(root_ + "/log/containers/web_shop_nginx-" + id +
                          ".log");
  Update(samples);
  EXPECT_TRUE(cache_.changed());
  for (const size_t i : {size_t{0}, size_t{1}})
    EXPECT_EQ(NameOf(i), (PodName{"shop", "web", "nginx"}));
  EXPECT_EQ(NameOf(2), PodName());
  EXPECT_EQ(Of(0), pod + "/" + id);
  EXPECT_EQ(before->Of(table_[0])->name, PodName());

  // It stays when the files have gone.
  fs::remove_all(root_ + "/log");
  for (int tick = 0; tick < 15; ++tick) {
    Update(samples);
    EXPECT_FALSE(cache_.changed());
  }
  EXPECT_EQ(NameOf(1), (PodName{"shop", "web", "nginx"}));
}

// Other processes have their turn meanwhile.
TEST_F(CgroupCacheTest, WhatCannotBeReadIsReadInTheNextTick) {
  std::vector<Sample> samples;
  for (uint32_t pid = 1; pid <= 100; ++pid) {
    Put(pid, "/a");
    samples.push_back(Live(pid, 1, "a", 0));
  }
  const std::string file = root_ + "/100/cgroup";
  fs::remove(file);
  fs::create_symlink("cgroup", file);
  for (int tick = 0; tick < 2; ++tick) {
    Update(samples);
    EXPECT_EQ(Of(99), "");
    EXPECT_NE(cache_.error().find("/proc/PID/cgroup: Too many levels"),
              std::string::npos)
        << cache_.error();
  }
  fs::remove(file);
  Put(100, "/late");
  Update(samples);
  EXPECT_EQ(Of(99), "/late");
  EXPECT_EQ(cache_.error(), "");
}

TEST_F(CgroupCacheTest, APermissionIsNotAskedForInEachTick) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  std::vector<Sample> samples;
  for (uint32_t pid = 1; pid <= 100; ++pid) {
    Put(pid, "/a");
    samples.push_back(Live(pid, 1, "a", 0));
  }
  chmod(root_.c_str(), 0755);
  // As hidepid does: no file of it can be read.
  chmod((root_ + "/99").c_str(), 0);
  chmod((root_ + "/100/cgroup").c_str(), 0);
  ASSERT_EQ(seteuid(65534), 0);
  Update(samples);
  ASSERT_EQ(seteuid(0), 0);
  EXPECT_EQ(Of(98) + Of(99), "");
  EXPECT_NE(cache_.error(), "");
  Update(samples);
  EXPECT_EQ(Of(98) + Of(99), "") << "they have their turn";
  EXPECT_EQ(cache_.error(), "");
}

// In a cgroup namespace of the exporter's own, "/" is the exporter's group, and
// not the host's root.
TEST_F(CgroupCacheTest, NoGroupsWithAnotherRoot) {
  Put(1, "/../../../init.scope");
  Put(2, "/");
  Put(3, "/app.service");
  Update({Live(1, 1, "a", 0), Live(2, 1, "b", 0), Live(3, 1, "c", 0)});
  for (const size_t i : {size_t{0}, size_t{1}, size_t{2}}) EXPECT_EQ(Of(i), "");
}

}  // namespace
}  // namespace pfe
