// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "fake_procfs.h"
#include "no_more_files.h"

namespace pfe {
namespace {

constexpr const char* kPod =
    "/kubepods/burstable/pod2f1c7a60-5b0e-4d0b-9a3e-0c5d9f6c1b11/c";

// The runtime uses version 1, and systemd keeps its service in both.
const std::string kOfVersion1 = std::string("1:name=systemd:") + kPod +
                                "\n0::/system.slice/containerd.service\n";

TEST(CgroupPathOf, EitherHierarchy) {
  const struct {
    const char* text;
    const char* path;
    const char* by_systemd;
  } cases[] = {
      {"0::/a\n", "/a", "/a"},
      {"5:cpu:/c\n1:name=systemd:/s\n0::/\n", "/s", "/s"},
      {"5:cpu:/c\n1:name=systemd:/s\n", "/s", "/s"},
      {"5:cpu:/c\n1:name=systemd:/\n", "/", "/"},
      {"5:cpu:/c:d\n", "/c:d", "/c:d"},
      {"1:name=systemd:/s\n0::/u\n", "/u", "/s"},
      {kOfVersion1.c_str(), "/system.slice/containerd.service", kPod},
      // A runtime of version 2 alone.
      {"1:name=systemd:/\n0::/u\n", "/u", "/u"},
  };
  for (const auto& [text, path, by_systemd] : cases) {
    EXPECT_EQ(CgroupPathOf(text, false), path) << text;
    EXPECT_EQ(CgroupPathOf(text, true), by_systemd) << text;
  }
  for (const char* none : {"", "\n", "x", ":", "::", "0::x"})
    EXPECT_EQ(CgroupPathOf(none, false), "") << none;
}

// The paths of other groups, as a private cgroup namespace shows them.
TEST(CgroupPathOf, APathFromAnotherRootIsUnknown) {
  for (const char* text :
       {"0::/..\n", "0::/../../../init.scope\n", "0::/../x.service\n",
        "5:cpu:/../c\n1:name=systemd:/../../s\n0::/\n", "5:cpu:/..\n"})
    EXPECT_EQ(CgroupPathOf(text, false), "") << text;
  EXPECT_EQ(CgroupPathOf("1:name=systemd:/../s\n0::/u\n", true), "");
  EXPECT_EQ(CgroupPathOf("0::/..a/b\n", false), "/..a/b");
}

TEST(CgroupPathOf, ARemovedGroupKeepsItsName) {
  EXPECT_EQ(CgroupPathOf("0::/a.service (deleted)\n", false), "/a.service");
}

TEST(CgroupPathOf, IsValidUtf8) {
  EXPECT_EQ(CgroupPathOf("0::/a\xff\n", false), "/a\xef\xbf\xbd");
}

TEST(LayoutReader, TheFirstProcessShowsIt) {
  const struct {
    const char* text;
    bool by_systemd, other_root;
  } cases[] = {
      {"0::/init.scope\n", false, false},
      {"0::/\n", false, false},
      {"0::/../../../init.scope\n", false, true},
      {"1:name=systemd:/init.scope\n0::/init.scope\n", true, false},
      {"1:name=systemd:/init.scope\n", true, false},
      {"1:name=systemd:/../../init.scope\n0::/..\n", true, true},
      {"1:name=systemd:/../../init.scope\n0::/init.scope\n", true, true},
      // Mounted for old containers, which run a systemd of their own.
      {"1:name=systemd:/\n0::/init.scope\n", false, false},
  };
  FakeProcesses procfs;
  LayoutReader reader;
  procfs.Start(1, 1);
  for (const auto& [text, by_systemd, other_root] : cases) {
    procfs.Write(1, "cgroup", text);
    reader.Update(procfs.root());
    EXPECT_EQ(reader.layout()->by_systemd, by_systemd) << text;
    EXPECT_EQ(reader.layout()->other_root, other_root) << text;
    EXPECT_EQ(reader.error(), "");
  }
}

TEST(LayoutReader, SaysWhyItCannotBeRead) {
  FakeProcesses procfs;
  procfs.Start(1, 1);
  procfs.Write(1, "cgroup", "1:name=systemd:/init.scope\n");
  LayoutReader reader;
  const std::string error =
      "the layout of control groups cannot be read: " + procfs.root() +
      "/1/cgroup: Too many open files";
  {
    const NoMoreFiles none;
    reader.Update(procfs.root());
  }
  EXPECT_FALSE(reader.layout());
  EXPECT_EQ(reader.error(), error);
  reader.Update(procfs.root());
  EXPECT_TRUE(reader.layout()->by_systemd);
  EXPECT_EQ(reader.error(), "");
  {
    const NoMoreFiles none;
    reader.Update(procfs.root());
  }
  EXPECT_TRUE(reader.layout()->by_systemd) << "it stays";
  EXPECT_EQ(reader.error(), error);
}

// A kernel without control groups, or a /proc that hides process 1.
TEST(LayoutReader, WithoutItTheUnifiedOneIsTaken) {
  FakeProcesses procfs;
  LayoutReader reader;
  reader.Update(procfs.root());
  ASSERT_TRUE(reader.layout());
  EXPECT_FALSE(reader.layout()->by_systemd);
  EXPECT_EQ(reader.error(), "");
}

}  // namespace
}  // namespace pfe
