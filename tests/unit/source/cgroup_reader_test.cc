// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace pfe {
namespace {

TEST(CgroupPathOf, EitherHierarchy) {
  EXPECT_EQ(CgroupPathOf("0::/a\n"), "/a");
  EXPECT_EQ(CgroupPathOf("5:cpu:/c\n1:name=systemd:/s\n0::/\n"), "/s");
  EXPECT_EQ(CgroupPathOf("5:cpu:/c\n1:name=systemd:/s\n"), "/s");
  EXPECT_EQ(CgroupPathOf("5:cpu:/c:d\n"), "/c:d");
  for (const char* none : {"", "\n", "x", ":", "::", "0::x"})
    EXPECT_EQ(CgroupPathOf(none), "") << none;
}

// The paths of other groups, as a private cgroup namespace shows them.
TEST(CgroupPathOf, APathFromAnotherRootIsUnknown) {
  for (const char* text :
       {"0::/..\n", "0::/../../../init.scope\n", "0::/../x.service\n",
        "5:cpu:/../c\n1:name=systemd:/../../s\n0::/\n", "5:cpu:/..\n"})
    EXPECT_EQ(CgroupPathOf(text), "") << text;
  EXPECT_EQ(CgroupPathOf("0::/..a/b\n"), "/..a/b");
}

TEST(CgroupPathOf, ARemovedGroupKeepsItsName) {
  EXPECT_EQ(CgroupPathOf("0::/a.service (deleted)\n"), "/a.service");
}

TEST(CgroupPathOf, IsValidUtf8) {
  EXPECT_EQ(CgroupPathOf("0::/a\xff\n"), "/a\xef\xbf\xbd");
}

TEST(HasOtherRoot, IfTheFirstProcessIsOutside) {
  const std::string root = testing::TempDir() + "pfe_other_root";
  std::filesystem::create_directories(root + "/1");
  const auto write = [&root](const char* text) {
    std::ofstream(root + "/1/cgroup") << text;
  };
  write("0::/../../../init.scope\n");
  EXPECT_TRUE(HasOtherRoot(root));
  write("1:name=systemd:/../../init.scope\n0::/..\n");
  EXPECT_TRUE(HasOtherRoot(root));
  write("0::/init.scope\n");
  EXPECT_FALSE(HasOtherRoot(root));
  write("0::/\n");
  EXPECT_FALSE(HasOtherRoot(root));
  std::filesystem::remove_all(root);
  EXPECT_FALSE(HasOtherRoot(root));
}

}  // namespace
}  // namespace pfe
