// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_paths.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fake_procfs.h"
#include "no_more_files.h"
#include "samples.h"
#include "source/cgroups.h"

namespace pfe {
namespace {

namespace fs = std::filesystem;

// A directory that looks like a unified hierarchy, and a procfs beside it.
class CgroupPathsTest : public testing::Test {
 protected:
  CgroupPathsTest() : root_(testing::TempDir() + "pfe_cgroup_XXXXXX") {
    if (!mkdtemp(root_.data())) abort();
    fs::create_directory(mount());
    fs::create_directory(procfs());
    Touch(mount() + "/cgroup.controllers");
    paths_.emplace(mount());
  }
  ~CgroupPathsTest() override { fs::remove_all(root_); }

  std::string mount() const { return root_ + "/cgroup"; }
  std::string logs() const { return root_ + "/log"; }
  std::string procfs() const { return root_ + "/proc"; }
  static void Touch(const std::string& path) { std::ofstream file(path); }
  // Makes a group, and returns its id.
  uint64_t Make(const std::string& path) {
    fs::create_directories(mount() + path);
    struct stat status {};
    EXPECT_EQ(stat((mount() + path).c_str(), &status), 0);
    return status.st_ino;
  }
  // Takes rows with these ids.
  bool Update(const std::vector<uint64_t>& ids, uint64_t seconds = 1) {
    table_.Clear();
    uint32_t pid = 0;
    for (const uint64_t id : ids) {
      Sample sample = Live(++pid, 1, "a", 0);
      sample.cgroup = id;
      Add(sample, &table_);
    }
    return paths_->Update(table_, seconds * kSecond, &names_);
  }
  std::string NameOf(size_t row) const {
    const RowNames& names = paths_->names();
    return std::string(names.names[names.of_row[row]]);
  }

  std::string root_;
  PodNames names_{""};
  std::optional<CgroupPaths> paths_;
  ProcessTable table_;
};

TEST_F(CgroupPathsTest, IdsBecomePaths) {
  const uint64_t nginx = Make("/system.slice/nginx.service");
  const uint64_t deep = Make("/a/b/c");
  ASSERT_TRUE(Update({nginx, CgroupPaths::kRoot, deep, nginx}));
  EXPECT_EQ(NameOf(0), "/system.slice/nginx.service");
  EXPECT_EQ(NameOf(1), "/");
  EXPECT_EQ(NameOf(2), "/a/b/c");
  EXPECT_EQ(NameOf(3), NameOf(0));
  EXPECT_EQ(paths_->names().names.size(), 3u);
  EXPECT_EQ(paths_->groups()->at(nginx)->info.unit, "nginx.service");
  EXPECT_TRUE(paths_->changed());
  ASSERT_TRUE(Update({nginx, deep}));
  EXPECT_TRUE(paths_->changed()) << "the root has no process any more";
  ASSERT_TRUE(Update({deep, nginx}));
  EXPECT_FALSE(paths_->changed());
  EXPECT_EQ(NameOf(0), "/a/b/c");
}

TEST_F(CgroupPathsTest, APathIsValidUtf8) {
  const uint64_t id = Make("/a\xff.service");
  ASSERT_TRUE(Update({id}));
  EXPECT_EQ(NameOf(0), "/a\xef\xbf\xbd.service");
}

// A group that came and went between two looks.
TEST_F(CgroupPathsTest, AGroupThatIsGoneIsItsId) {
  const uint64_t gone = Make("/gone"), stays = Make("/stays");
  fs::remove(mount() + "/gone");
  ASSERT_TRUE(Update({gone, stays, 0}));
  EXPECT_EQ(NameOf(0), "id:" + std::to_string(gone));
  EXPECT_EQ(NameOf(1), "/stays");
  EXPECT_EQ(NameOf(2), "unknown");
  EXPECT_EQ(paths_->groups()->count(gone), 0u);
}

// What was found is kept while a row has it, also after the group is removed.
TEST_F(CgroupPathsTest, AFoundGroupKeepsItsName) {
  const uint64_t id = Make("/job");
  ASSERT_TRUE(Update({id}));
  fs::remove(mount() + "/job");
  const uint64_t other = Make("/other");
  ASSERT_TRUE(Update({id, other}));
  EXPECT_EQ(NameOf(0), "/job");
}

TEST_F(CgroupPathsTest, LooksAgainOnlyForAnotherIdOrAfterATime) {
  const uint64_t id = Make("/late"), other = Make("/other");
  fs::rename(mount() + "/late", root_ + "/late");
  ASSERT_TRUE(Update({id}, 100));
  fs::rename(root_ + "/late", mount() + "/late");
  ASSERT_TRUE(Update({id}, 109));
  EXPECT_EQ(NameOf(0), "id:" + std::to_string(id)) << "not searched again yet";
  ASSERT_TRUE(Update({id}, 110));
  EXPECT_EQ(NameOf(0), "/late") << "after kAgainNs";

  fs::rename(mount() + "/other", root_ + "/other");
  ASSERT_TRUE(Update({other}, 111));
  fs::rename(root_ + "/other", mount() + "/other");
  ASSERT_TRUE(Update({other, Make("/new")}, 112));
  EXPECT_EQ(NameOf(0), "/other") << "since another id is new";
}

TEST_F(CgroupPathsTest, AHybridLayoutHasItsOwnDirectory) {
  fs::remove(mount() + "/cgroup.controllers");
  const uint64_t id = Make("/unified/user.slice");
  EXPECT_FALSE(Update({id}));
  Touch(mount() + "/unified/cgroup.controllers");
  ASSERT_TRUE(Update({id}));
  EXPECT_EQ(NameOf(0), "/user.slice");
}

TEST_F(CgroupPathsTest, WithoutAHierarchyItSaysSo) {
  const uint64_t id = Make("/a");
  EXPECT_FALSE(Update({1, 1})) << "all in the root";
  fs::remove(mount() + "/cgroup.controllers");
  EXPECT_FALSE(Update({id})) << "no unified hierarchy";
  Touch(mount() + "/cgroup.controllers");
  Touch(mount() + "/cgroup.events");
  EXPECT_FALSE(Update({id})) << "a part of the hierarchy has other paths";
  fs::remove(mount() + "/cgroup.events");
  EXPECT_TRUE(Update({id}));
}

// A directory that cannot be listed is not one without groups.
TEST_F(CgroupPathsTest, SaysThatADirectoryCannotBeListed) {
  const uint64_t id = Make("/a");
  {
    const NoMoreFiles none;
    ASSERT_TRUE(Update({id}, 1));
  }
  EXPECT_EQ(NameOf(0), "id:" + std::to_string(id));
  EXPECT_EQ(paths_->error(), "control groups cannot be named: " + mount() +
                                 ": Too many open files");
  ASSERT_TRUE(Update({id}, 2)) << "the next tick looks again";
  EXPECT_EQ(NameOf(0), "/a");
  EXPECT_EQ(paths_->error(), "");
}

// A hierarchy with directories that another user may not list.
class LockedGroupsTest : public CgroupPathsTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    for (const std::string& path : {root_, mount()}) chmod(path.c_str(), 0755);
  }
  void Lock(const std::string& path) {
    Make(path);
    chmod((mount() + path).c_str(), 0);
  }
  void UpdateAsAnother(const std::vector<uint64_t>& ids, uint64_t seconds) {
    ASSERT_EQ(seteuid(65534), 0);
    Update(ids, seconds);
    ASSERT_EQ(seteuid(0), 0);
  }
};

TEST_F(LockedGroupsTest, ADirectoryWithoutASearchedGroupIsNoError) {
  for (const char* path : {"/a", "/b", "/c", "/d", "/e", "/f"}) Lock(path);
  const uint64_t id = Make("/z/z");
  UpdateAsAnother({id}, 1);
  EXPECT_EQ(NameOf(0), "/z/z");
  EXPECT_EQ(paths_->error(), "");
  UpdateAsAnother({id, 1000000}, 2);
  EXPECT_NE(paths_->error(), "");
}

TEST_F(LockedGroupsTest, AWalkOverManyGroupsIsRareAlsoWithAnError) {
  for (size_t i = 0; i <= CgroupPaths::kManyGroups; ++i)
    fs::create_directory(mount() + "/" + std::to_string(i));
  Lock("/locked");
  UpdateAsAnother({1000000}, 1);
  EXPECT_NE(paths_->error(), "");
  const uint64_t later = Make("/zz");
  UpdateAsAnother({1000000, later}, 2);
  EXPECT_EQ(NameOf(1), "id:" + std::to_string(later));
  UpdateAsAnother({1000000, later}, 11);
  EXPECT_EQ(NameOf(1), "/zz");
}

TEST_F(CgroupPathsTest, SaysThatTheMountCannotBeLookedAt) {
  const uint64_t id = Make("/a");
  const std::string loop = root_ + "/loop";
  fs::create_symlink(loop, loop);
  CgroupPaths paths(loop);
  Update({id});
  EXPECT_FALSE(paths.Update(table_, kSecond, &names_));
  EXPECT_NE(paths.error().find("/loop/unified: Too many levels of symbolic"),
            std::string::npos)
      << paths.error();
}

// Each tick has a new id, as when somebody makes groups for that.
TEST_F(CgroupPathsTest, AWalkOverManyGroupsIsRare) {
  for (size_t i = 0; i <= CgroupPaths::kManyGroups; ++i)
    fs::create_directory(mount() + "/" + std::to_string(i));
  ASSERT_TRUE(Update({1000000}));
  const uint64_t later = Make("/zz");
  ASSERT_TRUE(Update({1000001, later}, 2));
  EXPECT_EQ(NameOf(1), "id:" + std::to_string(later));
  ASSERT_TRUE(Update({1000002, later}, 11));
  EXPECT_EQ(NameOf(1), "/zz");
}

class CgroupsTest : public CgroupPathsTest {
 protected:
  CgroupsTest() : cgroups_(procfs(), mount(), logs()) {}

  void Put(uint32_t pid, const std::string& path,
           const std::string& named = "") {
    const std::string directory = procfs() + "/" + std::to_string(pid);
    fs::create_directory(directory);
    std::ofstream(directory + "/stat") << FakeProcesses::StatOf(pid, 1);
    std::ofstream file(directory + "/cgroup");
    if (!named.empty()) file << "1:name=systemd:" << named << "\n";
    file << "0::" << path << "\n";
  }
  std::vector<std::string> Names(const std::vector<Sample>& samples) {
    table_.Clear();
    for (const Sample& sample : samples) Add(sample, &table_);
    cgroups_.FindAll(table_, ++seconds_ * kSecond, 1);
    const RowNames& names = cgroups_.names();
    std::vector<std::string> of_row;
    for (const uint32_t name : names.of_row)
      of_row.emplace_back(names.names[name]);
    return of_row;
  }

  Cgroups cgroups_;
  uint64_t seconds_ = 0;
};

TEST_F(CgroupsTest, WithoutIdsTheyComeFromProc) {
  Put(1, "/init.scope");
  Put(9, "/system.slice/a.service");
  const std::vector<Sample> rows = {Live(9, 1, "a", 0), Live(1, 1, "b", 0),
                                    Live(5, 1, "gone", 0),
                                    Exited(7, 1, "exited", 0)};
  EXPECT_EQ(Names(rows),
            (std::vector<std::string>{"/system.slice/a.service", "/init.scope",
                                      "unknown", "unknown"}));
  EXPECT_EQ(cgroups_.table()->Of(table_[0])->info.unit, "a.service");
}

// The kubelet makes the directory of a pod's logs after the pod has started.
TEST_F(CgroupsTest, AGroupFoundByItsIdGetsItsPodsNameLater) {
  const std::string uid = "2f1c7a60-5b0e-4d0b-9a3e-0c5d9f6c1b11";
  Sample row = Live(1, 1, "a", 0);
  row.cgroup = Make("/kubepods/pod" + uid);
  Names({row});
  EXPECT_EQ(cgroups_.table()->Of(table_[0])->name.pod, "");
  fs::create_directories(logs() + "/pods/shop_web-0_" + uid);
  for (int i = 0; i < 10 && cgroups_.table()->Of(table_[0])->name.pod.empty();
       ++i)
    Names({row});
  EXPECT_TRUE(cgroups_.changed());
  EXPECT_EQ(cgroups_.table()->Of(table_[0])->name.pod, "web-0");
  EXPECT_EQ(cgroups_.table()->Of(table_[0])->name.pod_namespace, "shop");
}

TEST_F(CgroupsTest, SaysThatNoHierarchyIsMounted) {
  Sample row = Live(1, 1, "a", 0);
  row.cgroup = Make("/kubepods/x");
  Names({row});
  EXPECT_EQ(cgroups_.error(), "");
  fs::remove(mount() + "/cgroup.controllers");
  Names({row});
  EXPECT_NE(cgroups_.error().find(mount()), std::string::npos);
  // Where systemd has another hierarchy there is nothing to look up.
  row.cgroup = CgroupPaths::kRoot;
  Names({row});
  EXPECT_EQ(cgroups_.error(), "");
}

// Else growth would go to other names for a tick.
TEST_F(CgroupsTest, TheLayoutStaysWhileItCannotBeRead) {
  Put(1, "/init.scope", "/init.scope");
  Sample row = Live(1, 1, "a", 0);
  row.cgroup = Make("/x");
  EXPECT_EQ(Names({row}), std::vector<std::string>{"/init.scope"});
  {
    const NoMoreFiles none;
    EXPECT_EQ(Names({row}), std::vector<std::string>{"/init.scope"});
  }
  EXPECT_FALSE(cgroups_.by_ids());
}

// Else the ids would name the runtime's own group for a tick.
TEST_F(CgroupsTest, NothingIsTakenBeforeTheLayoutIsKnown) {
  Put(1, "/init.scope", "/init.scope");
  Put(9, "/system.slice/containerd.service", "/kubepods/burstable/x");
  const std::string file = procfs() + "/1/cgroup";
  fs::rename(file, root_ + "/cgroup_of_1");
  fs::create_symlink("cgroup", file);
  Sample row = Live(9, 1, "a", 0);
  row.cgroup = Make("/system.slice/containerd.service");
  EXPECT_EQ(Names({row}), std::vector<std::string>{"unknown"});
  EXPECT_FALSE(cgroups_.by_ids());
  EXPECT_EQ(cgroups_.error(), "the layout of control groups cannot be read: " +
                                  file + ": Too many levels of symbolic links");
  fs::rename(root_ + "/cgroup_of_1", file);
  EXPECT_EQ(Names({row}), std::vector<std::string>{"/kubepods/burstable/x"});
  EXPECT_EQ(cgroups_.error(), "");
}

TEST_F(CgroupsTest, AnErrorIsThatOfTheWayInUse) {
  Put(1, "/init.scope");
  Put(9, "/x");
  const std::string file = procfs() + "/9/cgroup";
  fs::remove(file);
  fs::create_symlink("cgroup", file);
  Sample row = Live(9, 1, "a", 0);
  Names({row});
  EXPECT_NE(cgroups_.error().find("/proc/PID/cgroup"), std::string::npos);
  row.cgroup = Make("/x");
  EXPECT_EQ(Names({row}), std::vector<std::string>{"/x"});
  EXPECT_EQ(cgroups_.error(), "") << "by ids nothing of /proc is read";

  fs::remove(file);
  Put(9, "/x");
  fs::remove(mount() + "/cgroup.controllers");
  Names({row});
  EXPECT_NE(cgroups_.error().find(mount()), std::string::npos);
  Put(1, "/init.scope", "/init.scope");
  Names({row});
  EXPECT_EQ(cgroups_.error(), "") << "there ids are not used";
}

// There the runtime's containers can be in its own group of the hierarchy that
// the ids are of.
TEST_F(CgroupsTest, IdsAreNotTakenWhereSystemdUsesAnotherHierarchy) {
  const std::string runtime = "/system.slice/containerd.service";
  Put(1, "/init.scope", "/init.scope");
  Put(9, runtime, "/kubepods/burstable/x");
  Sample init = Live(1, 1, "a", 0), in_pod = Live(9, 1, "b", 0);
  Sample exited = Exited(5, 1, "c", 0);
  init.cgroup = Make("/init.scope");
  in_pod.cgroup = exited.cgroup = Make(runtime);
  EXPECT_EQ(Names({init, in_pod, exited}),
            (std::vector<std::string>{"/init.scope", "/kubepods/burstable/x",
                                      "unknown"}));
  EXPECT_FALSE(cgroups_.by_ids());
  EXPECT_EQ(cgroups_.error(), "");
}

TEST_F(CgroupsTest, IdsAreTakenWhereThereAreAny) {
  Put(1, "/../../..");
  Sample row = Live(1, 1, "a", 0);
  row.cgroup = Make("/kubepods/x");
  EXPECT_EQ(Names({row}), (std::vector<std::string>{"/kubepods/x"}));
  EXPECT_TRUE(cgroups_.changed());
  EXPECT_EQ(cgroups_.table()->Of(table_[0])->path, "/kubepods/x");
  Names({row});
  EXPECT_FALSE(cgroups_.changed());
}

}  // namespace
}  // namespace pfe
