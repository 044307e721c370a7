// SPDX-License-Identifier: Apache-2.0
#include "source/pod_names.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace pfe {
namespace {

namespace fs = std::filesystem;

const std::string kId(64, 'a');
const std::string kOtherId(64, 'b');
constexpr const char* kUid = "8a5b5c1e-0f2d-4c8e-9f3a-1b2c3d4e5f60";
constexpr const char* kStaticUid = "8277e0910d750195b448797616e091ad";
const PodName kWeb = {"shop", "web-7d4b9-x2x", "nginx"};

TEST(ParseContainerLog, WhatTheKubeletWrites) {
  const std::string file = "web-7d4b9-x2x_shop_nginx-" + kId + ".log";
  const auto named = ParseContainerLog(file);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->id, kId);
  EXPECT_EQ(named->name, kWeb);
  // Names may contain dashes, and the pod's also dots.
  const std::string odd = "a.b-c_kube-system_side-car-0-" + kId + ".log";
  EXPECT_EQ(ParseContainerLog(odd)->name,
            (PodName{"kube-system", "a.b-c", "side-car-0"}));
}

// The kubelet cuts the file's name at 255 characters. A name of that size may
// have lost its end; one that is shorter by one has not.
TEST(ParseContainerLog, ANameThatMayBeCutIsNoName) {
  const std::string rest = "_shop_nginx-" + kId + ".log";
  const std::string whole = std::string(254 - rest.size(), 'p') + rest;
  ASSERT_TRUE(ParseContainerLog(whole));
  EXPECT_EQ(ParseContainerLog(whole)->name.pod.size(), 254 - rest.size());
  EXPECT_FALSE(ParseContainerLog("p" + whole));
  std::string cut = std::string(200, 'p') + rest;
  cut = cut.substr(0, 251) + ".log";
  EXPECT_FALSE(ParseContainerLog(cut));
}

TEST(ParseContainerLog, OtherFiles) {
  for (const std::string& file :
       {std::string(), std::string("."), std::string(".log"), kId + ".log",
        "-" + kId + ".log", "web_shop-" + kId + ".log",
        "web_shop_-" + kId + ".log", "_shop_nginx-" + kId + ".log",
        "web__nginx-" + kId + ".log", "web_shop_nginx_x-" + kId + ".log",
        "web_shop_nginx-" + kId, "web_shop_nginx-" + kId + ".log.1",
        "web_shop_nginx" + kId + ".log",
        "web_shop_nginx-" + kId.substr(1) + ".log",
        "web_shop_nginx-" + std::string(64, 'g') + ".log",
        "Web_shop_nginx-" + kId + ".log", "w\"b_shop_nginx-" + kId + ".log",
        "w\nb_shop_nginx-" + kId + ".log", "w\xff_shop_nginx-" + kId + ".log"})
    EXPECT_FALSE(ParseContainerLog(file)) << file;
}

TEST(ParsePodLogs, Names) {
  EXPECT_EQ(ParsePodLogs(std::string("shop_web-1_") + kUid)->uid, kUid);
  EXPECT_EQ(ParsePodLogs(std::string("shop_web-1_") + kUid)->name,
            (PodName{"shop", "web-1", ""}));
  EXPECT_EQ(
      ParsePodLogs(std::string("kube-system_etcd-node1_") + kStaticUid)->uid,
      kStaticUid);
  for (const char* name : {"", ".", "..", "a", "a_b", "_b_c", "a__c", "a_b_",
                           "a_b_c_d", "A_b_c", "a_b\n_c"})
    EXPECT_FALSE(ParsePodLogs(name)) << name;
}

// A temporary /var/log.
class PodNamesTest : public testing::Test {
 protected:
  PodNamesTest() : root_(testing::TempDir() + "pfe_logs_XXXXXX") {
    if (!mkdtemp(root_.data())) abort();
    names_.emplace(root_);
  }
  ~PodNamesTest() override { fs::remove_all(root_); }

  void MakeDirectories() {
    fs::create_directory(root_ + "/pods");
    fs::create_directory(root_ + "/containers");
  }
  void AddPod(const std::string& uid) {
    fs::create_directory(root_ + "/pods/shop_web-7d4b9-x2x_" + uid);
  }
  // The link points nowhere, as it does in a container that has only
  // /var/log/containers.
  void AddContainer(const std::string& id,
                    const std::string& container = "nginx") {
    fs::create_symlink("/nowhere", root_ + "/containers/web-7d4b9-x2x_shop_" +
                                       container + "-" + id + ".log");
  }
  // What is known in a new tick.
  PodName Of(const std::string& uid, const std::string& id,
             double seconds = 1) {
    names_->Begin(seconds);
    return names_->Of({"", uid, id});
  }

  std::string root_;
  std::optional<PodNames> names_;
};

TEST_F(PodNamesTest, ByPodAndByContainer) {
  MakeDirectories();
  AddPod(kUid);
  AddContainer(kId);
  const PodName pod = {"shop", "web-7d4b9-x2x", ""};
  EXPECT_EQ(Of(kUid, kId), kWeb);
  EXPECT_EQ(Of(kUid, ""), pod);
  EXPECT_EQ(Of("", kId), kWeb);
  EXPECT_EQ(Of(kUid, kOtherId), pod);
  EXPECT_EQ(Of("", kOtherId), PodName());
  EXPECT_EQ(Of("", ""), PodName());
  EXPECT_EQ(Of("", "101"), PodName());
  EXPECT_FALSE(names_->error());
}

TEST_F(PodNamesTest, AContradictionIsNotBelieved) {
  MakeDirectories();
  fs::create_directory(root_ + "/pods/shop_other_" + kUid);
  AddContainer(kId);
  EXPECT_EQ(Of(kUid, kId), (PodName{"shop", "other", ""}));
  // Two names for one id.
  AddContainer(kOtherId, "one");
  AddContainer(kOtherId, "two");
  EXPECT_EQ(Of("", kOtherId), PodName());
}

TEST_F(PodNamesTest, WithoutDirectoriesThereAreNoNames) {
  EXPECT_EQ(Of(kUid, kId), PodName());
  EXPECT_FALSE(names_->error());
  std::ofstream(root_ + "/pods") << "a file";
  EXPECT_EQ(Of(kStaticUid, kOtherId), PodName());
  EXPECT_FALSE(names_->error());
}

TEST_F(PodNamesTest, ADirectoryThatCannotBeReadIsAnError) {
  MakeDirectories();
  AddContainer(kId);
  // A loop of links cannot be opened, by root neither.
  fs::remove(root_ + "/pods");
  fs::create_symlink("pods", root_ + "/pods");
  EXPECT_EQ(Of(kUid, kId), kWeb);
  ASSERT_TRUE(names_->error());
  EXPECT_EQ(names_->error()->cause, Cause::kIo);
  EXPECT_EQ(names_->error()->message,
            root_ + "/pods: Too many levels of symbolic links");
  fs::remove(root_ + "/pods");
  EXPECT_EQ(Of(kStaticUid, ""), PodName());
  EXPECT_FALSE(names_->error());
}

TEST_F(PodNamesTest, NoPermission) {
  MakeDirectories();
  chmod(root_.c_str(), 0755);
  chmod((root_ + "/pods").c_str(), 0);
  // Root may read every directory, and another user may not.
  const uid_t user = geteuid();
  ASSERT_EQ(seteuid(user == 0 ? 65534 : user), 0);
  EXPECT_EQ(Of(kUid, ""), PodName());
  ASSERT_EQ(seteuid(user), 0);
  chmod((root_ + "/pods").c_str(), 0700);
  ASSERT_TRUE(names_->error());
  EXPECT_EQ(names_->error()->cause, Cause::kNoPermission);
  EXPECT_EQ(names_->error()->message, root_ + "/pods: Permission denied");
}

TEST_F(PodNamesTest, AnIdThatIsNewIsLookedForAtOnce) {
  MakeDirectories();
  EXPECT_EQ(Of(kUid, ""), PodName());
  AddContainer(kId);
  EXPECT_EQ(Of("", kId, 0.1), kWeb);
}

// Of two new ids in a tick, the second is taken from what was read for the
// first. It is found in a later tick.
TEST_F(PodNamesTest, ReadsOnceATick) {
  MakeDirectories();
  EXPECT_EQ(Of("", kId), PodName());
  AddContainer(kOtherId);
  EXPECT_EQ(names_->Of({"", "", kOtherId}), PodName());
  EXPECT_EQ(Of("", kOtherId, PodNames::kPauseSeconds), kWeb);
}

TEST_F(PodNamesTest, AnIdThatWasNotFoundIsLookedForAfterAPause) {
  MakeDirectories();
  EXPECT_EQ(Of("", kId), PodName());
  AddContainer(kId);
  EXPECT_EQ(Of("", kId, PodNames::kPauseSeconds - 1), PodName());
  EXPECT_EQ(Of("", kId, 1), kWeb);
}

TEST_F(PodNamesTest, AnIdThatIsNeverFoundEndsTheSearch) {
  MakeDirectories();
  const int looks = static_cast<int>(PodNames::kPatienceSeconds / 10) + 1;
  for (int look = 0; look < looks; ++look) Of("", kId, 10);
  AddContainer(kId);
  for (int tick = 0; tick < 10; ++tick)
    EXPECT_EQ(Of("", kId, PodNames::kPauseSeconds), PodName());
  // It is found when the directories are read for another one.
  EXPECT_EQ(Of("", kOtherId), PodName());
  EXPECT_EQ(Of("", kId), kWeb);
}

// A loop of links in place of a directory.
class LoopTest : public PodNamesTest {
 protected:
  LoopTest() { MakeDirectories(); }
  void MakeLoop(const std::string& name) {
    fs::remove_all(root_ + "/" + name);
    fs::create_symlink(name, root_ + "/" + name);
  }
  void MendLoop(const std::string& name) {
    fs::remove(root_ + "/" + name);
    fs::create_directory(root_ + "/" + name);
  }
};

TEST_F(LoopTest, AnErrorDoesNotEndTheSearch) {
  MakeLoop("containers");
  const int looks = static_cast<int>(PodNames::kPatienceSeconds / 10) + 1;
  for (int look = 0; look < looks; ++look)
    EXPECT_EQ(Of("", kId, 10), PodName());
  MendLoop("containers");
  EXPECT_EQ(Of("", kId, PodNames::kPauseSeconds), PodName());
  EXPECT_FALSE(names_->error());
  AddContainer(kId);
  EXPECT_EQ(Of("", kId, PodNames::kPauseSeconds), kWeb);
}

TEST_F(LoopTest, AnErrorIsTriedAgainThoughNobodyAsks) {
  AddPod(kUid);
  MakeLoop("containers");
  Of(kUid, kId);
  EXPECT_TRUE(names_->error());
  MendLoop("containers");
  names_->Begin(PodNames::kPauseSeconds - 1);
  EXPECT_TRUE(names_->error());
  names_->Begin(1);
  EXPECT_FALSE(names_->error());
}

TEST_F(LoopTest, AnErrorKeepsTheNamesThatWereKnown) {
  AddContainer(kId);
  EXPECT_EQ(Of("", kId), kWeb);
  MakeLoop("containers");
  AddPod(kUid);
  const PodName pod = {"shop", "web-7d4b9-x2x", ""};
  for (int i = 0; i < 3; ++i) {
    Of("", std::string(64, static_cast<char>('0' + i)));  // reads again
    EXPECT_TRUE(names_->error());
  }
  EXPECT_EQ(Of(kUid, kId), kWeb);
  EXPECT_EQ(Of(kUid, kOtherId), pod) << "the other directory is read";
}

TEST_F(PodNamesTest, KeepsWhatIsUsed) {
  MakeDirectories();
  AddPod(kUid);
  AddContainer(kId);
  EXPECT_EQ(Of(kUid, kId), kWeb);
  fs::remove_all(root_ + "/pods");
  fs::remove_all(root_ + "/containers");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Of(kUid, kId), kWeb);
    Of("", std::string(64, static_cast<char>('0' + i)));  // reads again
  }
  // Nobody asks for it between two reads.
  Of("", std::string(64, '8'));
  Of("", std::string(64, '9'));
  EXPECT_EQ(Of(kUid, kId), PodName());
}

}  // namespace
}  // namespace pfe
