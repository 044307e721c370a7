// SPDX-License-Identifier: Apache-2.0
// The column cgroup against /proc/PID/cgroup and the inode numbers of the
// groups' directories.
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>

#include "module.h"
#include "page_faults.h"
#include "storm_kit.h"
#include "subject.h"

namespace pf_test {
namespace {

const char kMount[] = "/sys/fs/cgroup";

// The id of the group with this path in the hierarchy; 0 if it is gone.
uint64_t IdOf(const std::string& path) {
  struct stat status;
  return stat((kMount + path).c_str(), &status) ? 0 : status.st_ino;
}

// The path that /proc says of a process.
std::string PathOf(const std::string& pid) {
  const std::string text = ReadFile("/proc/" + pid + "/cgroup");
  const size_t at = text.find("0::");
  EXPECT_NE(at, std::string::npos) << text;
  return at == std::string::npos ? ""
                                 : text.substr(at + 3, text.find('\n', at) - 3);
}

uint64_t Column(pid_t pid) {
  const Table table = ReadTable();
  const Row* row = table.FindOne(pid);
  EXPECT_NE(row, nullptr);
  return row ? row->Number(PF_COL_CGROUP) : 0;
}

void ExpectEqualsProc(pid_t pid) {
  const std::string path = PathOf(std::to_string(pid));
  EXPECT_EQ(Column(pid), IdOf(path)) << path;
}

class CgroupColumn : public testing::Test {
 protected:
  void SetUp() override {
    // Longer than any of these tests takes in a slow guest.
    ASSERT_TRUE(SetParameter("retain_ms", "3600000"));
    ASSERT_TRUE(one_.exists());
    ASSERT_TRUE(two_.exists());
  }

  const Cgroup one_{"column-one"}, two_{"column-two"};
};

TEST_F(CgroupColumn, OfEveryProcessEqualsProc) {
  Subject subject([] {});
  int compared = 0;
  for (const Row& row : ReadTable().rows) {
    if (row.Text(PF_COL_STATE) != PF_STATE_LIVE) continue;
    EXPECT_EQ(row.Number(PF_COL_CGROUP), IdOf(PathOf(row.Text(PF_COL_PID))))
        << row.Text(PF_COL_PID);
    ++compared;
  }
  EXPECT_GE(compared, 2);
}

TEST_F(CgroupColumn, TheRootIsOne) {
  EXPECT_EQ(IdOf("/"), 1u);
  EXPECT_EQ(Column(getpid()), 1u);
}

TEST_F(CgroupColumn, FollowsAMove) {
  Subject subject([this] { one_.Enter(); }, [this] { two_.Enter(); });
  EXPECT_EQ(Column(subject.pid()), IdOf("/column-one"));
  ExpectEqualsProc(subject.pid());
  subject.Act();
  EXPECT_EQ(Column(subject.pid()), IdOf("/column-two"));
  ExpectEqualsProc(subject.pid());
}

TEST_F(CgroupColumn, AnExitedProcessKeepsItsLastOne) {
  const Ended child = RunToEnd([this] {
    one_.Enter();
    two_.Enter();
  });
  EXPECT_EQ(ReadTable().FindOne(child.pid)->Text(PF_COL_STATE),
            PF_STATE_EXITED);
  EXPECT_EQ(Column(child.pid), IdOf("/column-two"));
}

TEST_F(CgroupColumn, AKilledProcessKeepsItsLastOne) {
  const Ended child = RunToEnd([this] {
    one_.Enter();
    raise(SIGKILL);
  });
  EXPECT_EQ(Column(child.pid), IdOf("/column-one"));
}

TEST_F(CgroupColumn, AZombieKeepsItsLastOne) {
  const pid_t zombie = fork();
  if (zombie == 0) {
    one_.Enter();
    _exit(0);
  }
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(zombie), &info, WEXITED | WNOWAIT),
            0);
  EXPECT_EQ(Column(zombie), IdOf("/column-one"));
  EXPECT_EQ(waitpid(zombie, nullptr, 0), zombie);
}

TEST_F(CgroupColumn, ARemovedGroupStillNamesItsRows) {
  auto gone = std::make_unique<Cgroup>("column-gone");
  const uint64_t id = IdOf("/column-gone");
  ASSERT_GT(id, 1u);
  const Ended child = RunToEnd([&gone] { gone->Enter(); });
  gone.reset();
  EXPECT_EQ(IdOf("/column-gone"), 0u);
  EXPECT_EQ(Column(child.pid), id);
  // A group of the same name is another one.
  const Cgroup again("column-gone");
  EXPECT_NE(IdOf("/column-gone"), id);
  EXPECT_EQ(Column(child.pid), id);
}

// In a threaded subtree a thread can be in another group than its process.
TEST_F(CgroupColumn, IsTheLeadersInAThreadedGroup) {
  const Cgroup thread("column-one/thread");
  ASSERT_TRUE(thread.exists());
  Subject subject([this] { one_.Enter(); },
                  [&thread] {
                    if (!thread.Set("cgroup.type", "threaded")) _exit(1);
                    int done[2];
                    if (pipe(done)) _exit(1);
                    std::thread([&thread, done] {
                      const bool in =
                          thread.Set("cgroup.threads",
                                     std::to_string(syscall(SYS_gettid)));
                      WritePages(MapPages(8), 8);
                      if (write(done[1], in ? "y" : "n", 1) != 1) _exit(1);
                      pause();
                    }).detach();
                    char in = 'n';
                    if (read(done[0], &in, 1) != 1 || in != 'y') _exit(1);
                  });
  subject.Act();
  EXPECT_EQ(Column(subject.pid()), IdOf("/column-one"));
  ExpectEqualsProc(subject.pid());
}

// A leader that has exited before its threads stays in its group.
TEST_F(CgroupColumn, OfALeaderThatIsGone) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    one_.Enter();
    std::thread([ready] {
      usleep(100000);
      if (write(ready[1], "x", 1) != 1) _exit(1);
      pause();
    }).detach();
    syscall(SYS_exit, 0);
  }
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(Column(pid), IdOf("/column-one"));
  const std::string stat = "/proc/" + std::to_string(pid) + "/stat";
  ASSERT_TRUE(Eventually(
      [&] { return ReadFile(stat).find(") Z ") != std::string::npos; }));
  // Moves only the other thread.
  EXPECT_TRUE(two_.Set("cgroup.procs", std::to_string(pid)));
  EXPECT_EQ(Column(pid), IdOf("/column-one"));
  kill(pid, SIGKILL);
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
  EXPECT_EQ(Column(pid), IdOf("/column-one"));
  close(ready[0]);
  close(ready[1]);
}

// The id is that of the whole hierarchy, whatever the process itself and the
// reader see of it.
TEST_F(CgroupColumn, ACgroupNamespaceChangesNothing) {
  Subject subject(
      [this] {
        one_.Enter();
        if (unshare(CLONE_NEWCGROUP)) _exit(1);
      },
      [] {});
  const uint64_t id = IdOf("/column-one");
  EXPECT_EQ(Column(subject.pid()), id);
  // A reader in another group's namespace, which sees the path as /../.
  const Ended reader = RunToEnd([this, &subject, id] {
    two_.Enter();
    if (unshare(CLONE_NEWCGROUP)) _exit(1);
    const bool hidden =
        PathOf(std::to_string(subject.pid())) == "/../column-one";
    _exit(hidden && Column(subject.pid()) == id ? 0 : 2);
  });
  EXPECT_EQ(reader.status, 0);
}

}  // namespace
}  // namespace pf_test
