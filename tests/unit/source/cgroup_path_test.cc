// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_path.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace pfe {
namespace {

const std::string kId(64, 'a');
constexpr const char* kUid = "8a5b5c1e-0f2d-4c8e-9f3a-1b2c3d4e5f60";

std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, '\t');)
    fields.push_back(field);
  fields.resize(4);
  return fields;
}

// Each line of the fixture: a path, and what it names.
TEST(ParseCgroupPath, PathsAsHostsHaveThem) {
  std::ifstream file(FIXTURES "/cgroup-paths.tsv");
  size_t paths = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    const std::vector<std::string> fields = Fields(line);
    const CgroupInfo info = ParseCgroupPath(fields[0]);
    EXPECT_EQ(info.unit, fields[1]) << fields[0];
    EXPECT_EQ(info.pod_uid, fields[2]) << fields[0];
    EXPECT_EQ(info.container_id, fields[3]) << fields[0];
    ++paths;
  }
  EXPECT_GT(paths, 100u);
}

TEST(ParseCgroupPath, AnyBytes) {
  // Bytes that are no UTF-8, quotes and newlines belong to the unit's name.
  for (const char* unit :
       {"a\"b.service", "a\nb.service", "\xff\xfe.service", "a\tb.scope"})
    EXPECT_EQ(ParseCgroupPath(std::string("/x/") + unit).unit, unit);
  EXPECT_EQ(ParseCgroupPath("/lxc/\xff").container_id, "\xff");
  // They do not hide what is beside them.
  const CgroupInfo info = ParseCgroupPath("/\xff\n/odd\xff-pod" +
                                          std::string(kUid) + ".slice/" + kId);
  EXPECT_EQ(info.pod_uid, kUid);
  EXPECT_EQ(info.container_id, kId);
  // They are in no id.
  EXPECT_EQ(ParseCgroupPath("/docker/" + kId + "\n").container_id, "");
  EXPECT_EQ(ParseCgroupPath(std::string("/pod") + kUid + "\n").pod_uid, "");
  EXPECT_EQ(ParseCgroupPath(std::string("/docker/\0", 9) + kId).container_id,
            "");
}

TEST(ParseCgroupPath, LongPaths) {
  // The longest component that a file system takes, and the longest path.
  const std::string name(255, 'a');
  std::string path;
  while (path.size() < 4096) path += "/" + name;
  EXPECT_EQ(ParseCgroupPath(path + "/a.service/docker/" + kId).container_id,
            kId);
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "/a";
  deep += "/kubepods/pod" + std::string(kUid) + "/" + kId;
  EXPECT_EQ(ParseCgroupPath(deep).pod_uid, kUid);
  EXPECT_EQ(ParseCgroupPath(deep).container_id, kId);
}

TEST(ParseCgroupPath, SlashesMakeNoDifference) {
  for (const std::string& path :
       {"docker/" + kId, "//docker//" + kId + "/", "/docker/" + kId + "//"})
    EXPECT_EQ(ParseCgroupPath(path).container_id, kId) << path;
  for (const char* none : {"", "/", "//", "/..", "/../.."}) {
    const CgroupInfo info = ParseCgroupPath(none);
    EXPECT_EQ(info.unit + info.pod_uid + info.container_id, "") << none;
  }
}

}  // namespace
}  // namespace pfe
