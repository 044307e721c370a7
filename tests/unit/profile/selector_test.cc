// SPDX-License-Identifier: Apache-2.0
#include "profile/selector.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

namespace pfe {
namespace {

namespace fs = std::filesystem;

uint64_t Inode(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0);
  return status.st_ino;
}

TEST(Selector, ANumberIsAPid) {
  const Selector selector("42");
  EXPECT_TRUE(selector.Matches(42, "x", 0));
  EXPECT_FALSE(selector.Matches(43, "42", 0));
}

TEST(Selector, AnyOtherTextIsAComm) {
  const Selector selector("42nd");
  EXPECT_TRUE(selector.Matches(1, "42nd", 0));
  EXPECT_FALSE(selector.Matches(42, "42", 0));
}

TEST(Selector, APathIsAControlGroupWithThoseBelow) {
  std::string mount = testing::TempDir() + "pfe_selector_XXXXXX";
  ASSERT_NE(mkdtemp(mount.data()), nullptr);
  fs::create_directories(mount + "/pods/one/deep");
  fs::create_directories(mount + "/pods/two");
  Selector selector("/pods/one");
  EXPECT_TRUE(selector.by_cgroup());
  ASSERT_TRUE(selector.FindCgroups(mount));
  EXPECT_TRUE(selector.Matches(1, "x", Inode(mount + "/pods/one")));
  EXPECT_TRUE(selector.Matches(1, "x", Inode(mount + "/pods/one/deep")));
  EXPECT_FALSE(selector.Matches(1, "x", Inode(mount + "/pods/two")));
  EXPECT_FALSE(selector.Matches(1, "x", 0));
  // A group that is removed in the meantime stays selected.
  const uint64_t deep = Inode(mount + "/pods/one/deep");
  fs::remove_all(mount + "/pods");
  EXPECT_TRUE(selector.FindCgroups(mount));
  EXPECT_TRUE(selector.Matches(1, "x", deep));
  EXPECT_FALSE(Selector("/none").FindCgroups(mount));
  fs::remove_all(mount);
}

}  // namespace
}  // namespace pfe
