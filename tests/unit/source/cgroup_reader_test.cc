// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace pfe {
namespace {

constexpr const char* kId =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST(ParseCgroupPath, SystemdUnits) {
  EXPECT_EQ(ParseCgroupPath("/system.slice/nginx.service").unit,
            "nginx.service");
  EXPECT_EQ(ParseCgroupPath("/user.slice/user-1000.slice/user@1000.service/"
                            "app.slice/app.scope")
                .unit,
            "app.scope");
  EXPECT_EQ(ParseCgroupPath("/").unit, "");
}

TEST(ParseCgroupPath, Containers) {
  const std::string id = kId;
  for (const std::string& path :
       {std::string("/docker/") + id, "/system.slice/docker-" + id + ".scope",
        "/machine.slice/libpod-" + id + ".scope/container",
        "/kubepods.slice/x.slice/cri-containerd-" + id + ".scope"})
    EXPECT_EQ(ParseCgroupPath(path).container, id) << path;
  EXPECT_EQ(ParseCgroupPath("/a/" + id + "0").container, "");
}

TEST(ParseCgroupPath, Pods) {
  constexpr const char* kPod = "8a5b5c1e-0f2d-4c8e-9f3a-1b2c3d4e5f60";
  EXPECT_EQ(ParseCgroupPath("/kubepods.slice/kubepods-burstable.slice/"
                            "kubepods-burstable-pod8a5b5c1e_0f2d_4c8e_9f3a_"
                            "1b2c3d4e5f60.slice/x.scope")
                .pod,
            kPod);
  EXPECT_EQ(
      ParseCgroupPath(std::string("/kubepods/burstable/pod") + kPod + "/x").pod,
      kPod);
}

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
