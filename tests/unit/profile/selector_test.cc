// SPDX-License-Identifier: Apache-2.0
#include "profile/selector.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "profile/cgroup_walk.h"

namespace pfe {
namespace {

namespace fs = std::filesystem;

uint64_t Inode(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0);
  return status.st_ino;
}

// Nobody, who cannot read what root and others may, from here to the end of the
// scope. is_on() is false where there is no such user.
class AsNobody {
 public:
  AsNobody() : own_(geteuid()) { is_on_ = own_ != 0 || seteuid(65534) == 0; }
  ~AsNobody() { EXPECT_EQ(seteuid(own_), 0); }
  bool is_on() const { return is_on_; }

 private:
  const uid_t own_;
  bool is_on_ = false;
};

bool Never() { return false; }

TEST(Selector, ANumberIsAPid) {
  const Selector selector = Selector::Parse("42");
  EXPECT_TRUE(selector.Matches(42, "x", 0));
  EXPECT_FALSE(selector.Matches(43, "42", 0));
}

TEST(Selector, AnyOtherTextIsAComm) {
  const Selector selector = Selector::Parse("42nd");
  EXPECT_TRUE(selector.Matches(1, "42nd", 0));
  EXPECT_FALSE(selector.Matches(42, "42", 0));
}

TEST(Selector, ACommCanLookLikeAPidOrAPath) {
  EXPECT_TRUE(Selector::OfComm("42").Matches(1, "42", 0));
  EXPECT_FALSE(Selector::OfComm("42").Matches(42, "x", 0));
  EXPECT_TRUE(Selector::OfComm("/x").Matches(1, "/x", 0));
  EXPECT_FALSE(Selector::OfComm("/x").by_cgroup());
}

TEST(Selector, APathIsAControlGroupWithThoseBelow) {
  std::string mount = testing::TempDir() + "pfe_selector_XXXXXX";
  ASSERT_NE(mkdtemp(mount.data()), nullptr);
  fs::create_directories(mount + "/pods/one/deep");
  fs::create_directories(mount + "/pods/two");
  Selector selector = Selector::Parse("/pods/one");
  EXPECT_TRUE(selector.by_cgroup());
  ASSERT_TRUE(selector.FindCgroups(mount, Never));
  EXPECT_TRUE(selector.Matches(1, "x", Inode(mount + "/pods/one")));
  EXPECT_TRUE(selector.Matches(1, "x", Inode(mount + "/pods/one/deep")));
  EXPECT_FALSE(selector.Matches(1, "x", Inode(mount + "/pods/two")));
  EXPECT_FALSE(selector.Matches(1, "x", 0));
  // A group that is removed in the meantime stays selected.
  const uint64_t deep = Inode(mount + "/pods/one/deep");
  fs::remove_all(mount + "/pods");
  EXPECT_TRUE(selector.FindCgroups(mount, Never));
  EXPECT_TRUE(selector.Matches(1, "x", deep));
  EXPECT_FALSE(Selector::Parse("/none").FindCgroups(mount, Never));
  for (const char* outside : {"/..", "/../..", "/x/../..", "/../"})
    EXPECT_FALSE(Selector::Parse(outside).FindCgroups(mount, Never)) << outside;
  fs::remove_all(mount);
}

TEST(Selector, AGroupThatCannotBeReadDoesNotHideOthers) {
  if (!AsNobody().is_on()) GTEST_SKIP() << "there is no user nobody";
  std::string mount = testing::TempDir() + "pfe_selector_XXXXXX";
  ASSERT_NE(mkdtemp(mount.data()), nullptr);
  ASSERT_EQ(chmod(mount.c_str(), 0755), 0);
  std::vector<std::string> closed, open;
  for (int i = 0; i < 20; ++i) {
    const std::string group = mount + "/top/" + std::to_string(i);
    (i % 2 == 0 ? closed : open).push_back(group);
    fs::create_directories(group + "/deep/deeper");
    std::ofstream(group + "/cgroup.procs") << "1";
    ASSERT_EQ(chmod(group.c_str(), i % 2 == 0 ? 0 : 0755), 0);
  }
  fs::create_directory_symlink(mount, mount + "/top/link");
  Selector selector = Selector::Parse("/top");
  {
    const AsNobody as_nobody;
    EXPECT_TRUE(selector.FindCgroups(mount, Never));
  }
  for (const std::string& group : closed) {
    EXPECT_TRUE(selector.Matches(1, "x", Inode(group))) << group;
    ASSERT_EQ(chmod(group.c_str(), 0755), 0);
  }
  for (const std::string& group : open) {
    EXPECT_TRUE(selector.Matches(1, "x", Inode(group))) << group;
    EXPECT_TRUE(selector.Matches(1, "x", Inode(group + "/deep"))) << group;
    EXPECT_TRUE(selector.Matches(1, "x", Inode(group + "/deep/deeper")))
        << group;
    EXPECT_FALSE(selector.Matches(1, "x", Inode(group + "/cgroup.procs")))
        << "a file is no group";
  }
  EXPECT_FALSE(selector.Matches(1, "x", Inode(mount)))
      << "a link is not followed";
  fs::remove_all(mount);
}

TEST(Selector, SaysThatItLeavesGroupsOut) {
  std::string mount = testing::TempDir() + "pfe_selector_XXXXXX";
  ASSERT_NE(mkdtemp(mount.data()), nullptr);
  fs::create_directory(mount + "/top");
  for (size_t i = 1; i < kMostCgroups; ++i)
    fs::create_directory(mount + "/top/" + std::to_string(i));
  Selector selector = Selector::Parse("/top");
  EXPECT_TRUE(selector.FindCgroups(mount, Never));
  EXPECT_FALSE(selector.has_left_out());
  fs::create_directory(mount + "/top/one more");
  EXPECT_TRUE(selector.FindCgroups(mount, Never));
  EXPECT_TRUE(selector.has_left_out());
  fs::remove_all(mount);
}

TEST(Selector, LooksNoLongerThanItMay) {
  std::string mount = testing::TempDir() + "pfe_selector_XXXXXX";
  ASSERT_NE(mkdtemp(mount.data()), nullptr);
  fs::create_directories(mount + "/top/deep");
  int looks = 0;
  Selector selector = Selector::Parse("/top");
  EXPECT_TRUE(selector.FindCgroups(mount, [&looks] { return ++looks > 1; }));
  EXPECT_TRUE(selector.Matches(1, "x", Inode(mount + "/top")));
  EXPECT_FALSE(selector.Matches(1, "x", Inode(mount + "/top/deep")));
  fs::remove_all(mount);
}

TEST(Selector, FindsGroupsWhileOthersComeAndGo) {
  std::string mount = testing::TempDir() + "pfe_selector_XXXXXX";
  ASSERT_NE(mkdtemp(mount.data()), nullptr);
  const auto stays = [&](int i) {
    return mount + "/top/stays" + std::to_string(i) + "/deep";
  };
  for (int i = 0; i < 100; ++i) fs::create_directories(stays(i));
  std::atomic<bool> is_over = false;
  std::thread others([&] {
    for (int i = 0; !is_over; i = (i + 1) % 50) {
      std::error_code ignored;
      const std::string top = mount + "/top/goes" + std::to_string(i);
      fs::create_directories(top + "/a/b", ignored);
      fs::remove_all(mount + "/top/goes" + std::to_string((i + 25) % 50),
                     ignored);
    }
  });
  for (int round = 0; round < 50; ++round) {
    Selector selector = Selector::Parse("/top");
    EXPECT_TRUE(selector.FindCgroups(mount, Never));
    int found = 0;
    for (int i = 0; i < 100; ++i)
      found += selector.Matches(1, "x", Inode(stays(i)));
    EXPECT_EQ(found, 100);
  }
  is_over = true;
  others.join();
  fs::remove_all(mount);
}

}  // namespace
}  // namespace pfe
