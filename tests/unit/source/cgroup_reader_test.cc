// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace pfe {
namespace {

TEST(CgroupPathOf, EitherHierarchy) {
  EXPECT_EQ(CgroupPathOf("0::/a\n"), "/a");
  EXPECT_EQ(CgroupPathOf("5:cpu:/c\n1:name=systemd:/s\n0::/\n"), "/s");
  EXPECT_EQ(CgroupPathOf("5:cpu:/c:d\n"), "/c:d");
  for (const char* none : {"", "\n", "x", ":", "::"})
    EXPECT_EQ(CgroupPathOf(none), "") << none;
}

TEST(ReadCgroup, OfThisProcess) {
  EXPECT_EQ(ReadCgroup("/proc", static_cast<uint64_t>(getpid())).substr(0, 1),
            "/");
  EXPECT_EQ(ReadCgroup("/nonexistent", 1), "");
  // A directory can be opened, but not read.
  const std::string root = testing::TempDir() + "pfe_cgroup";
  std::filesystem::create_directories(root + "/1/cgroup");
  EXPECT_EQ(ReadCgroup(root, 1), "");
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace pfe
