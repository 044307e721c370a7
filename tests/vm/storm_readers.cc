// SPDX-License-Identifier: Apache-2.0
// Storms of readers, the daemon among them, while processes start and exit.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module.h"
#include "page_faults.h"
#include "storm_kit.h"

namespace pf_test {
namespace {

constexpr int kDaemonPort = 9111;
const char kFromModule[] = "page_fault_exporter_source{source=\"module\"} 1";

std::string CauseLine(const std::string& cause) {
  return "page_fault_exporter_read_error{cause=\"" + cause + "\"} 1";
}

TEST(StormQuick, ExitsRaceReads) {
  ASSERT_TRUE(SetParameter("retain_ms", "100"));
  Crowd crowd(4, ForkRound);
  for (int i = 0; i < 40; ++i) {
    ReadTable();  // fails the test if its form is wrong
    ReadStats();
  }
}

TEST(StormQuick, FiftyReadersAtOnce) {
  Crowd crowd(2, ForkRound);
  EXPECT_TRUE(AllSucceeded(RunAtOnce(50, [](int) {
    for (int i = 0; i < 4; ++i)
      for (const char* name : {PF_FILE_PROCESSES, PF_FILE_STATS})
        if (!ReadsWhole(name)) _exit(1);
  })));
}

// Readers read the first bytes, and the rest after all rows have changed.
TEST(StormQuick, ReaderThatStopsInTheMiddle) {
  ASSERT_TRUE(SetParameter("retain_ms", "0"));
  std::vector<int> files;
  const std::string path = "/sys/kernel/debug/" PF_DEBUGFS_DIR "/processes";
  for (int i = 0; i < 8; ++i) files.push_back(open(path.c_str(), O_RDONLY));
  std::vector<std::string> texts(files.size());
  char buffer[300];
  for (size_t i = 0; i < files.size(); ++i) {
    const ssize_t n = read(files[i], buffer, 40 * i + 1);
    ASSERT_GT(n, 0);
    texts[i].append(buffer, static_cast<size_t>(n));
  }
  EXPECT_TRUE(AllSucceeded(RunAtOnce(4, [](int) {
    for (int i = 0; i < 50; ++i) ForkRound();
  })));
  for (size_t i = 0; i < files.size(); ++i) {
    for (ssize_t n; (n = read(files[i], buffer, sizeof(buffer))) > 0;)
      texts[i].append(buffer, static_cast<size_t>(n));
    close(files[i]);
    const size_t last = texts[i].rfind(PF_TRAILER);
    ASSERT_NE(last, std::string::npos);
    size_t lines = 0;
    for (char c : texts[i]) lines += c == '\n';
    EXPECT_EQ(texts[i].substr(last),
              PF_TRAILER + std::to_string(lines - 3) + "\n");
  }
}

// The module cannot be unloaded while a file is open, and can after it is
// closed.
TEST(StormReload, OpenFileHoldsTheModule) {
  Crowd crowd(2, ForkRound);
  const std::string path = "/sys/kernel/debug/" PF_DEBUGFS_DIR "/processes";
  for (int i = 0; i < 20; ++i) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    char byte;
    ASSERT_EQ(read(fd, &byte, 1), 1);
    EXPECT_NE(UnloadModule(), 0);
    ASSERT_EQ(read(fd, &byte, 1), 1);
    close(fd);
    ASSERT_EQ(UnloadPatiently(), 0);
    ASSERT_EQ(LoadModule(DefaultParameters()), 0);
  }
}

TEST(StormReload, UnloadWithReadersInside) {
  Crowd readers(6, ReadRound);
  Crowd crowd(2, ForkRound);
  for (int i = 0; i < 30; ++i) {
    usleep(20000);
    ASSERT_EQ(LoadAfresh(), 0) << i;
  }
}

// A daemon that belongs to the storm.
class Daemon {
 public:
  Daemon() : pid_(StartDaemon(kDaemonPort)) {}
  ~Daemon() { End(SIGKILL); }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  bool Says(const std::string& line) const {
    return DaemonSays(kDaemonPort, line);
  }
  int End(int signal) {
    int status = 0;
    if (pid_ > 0) {
      kill(pid_, signal);
      waitpid(pid_, &status, 0);
    }
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_;
};

bool HasDaemon() { return access("/page_fault_exporter", X_OK) == 0; }

TEST(StormSlow, DaemonKilledAndStartedAgain) {
  if (!HasDaemon()) GTEST_SKIP() << "no daemon in this guest";
  Crowd crowd(2, ForkRound);
  for (int i = 0; i < 5; ++i) {
    Daemon daemon;
    EXPECT_TRUE(daemon.Says(kFromModule)) << i;
    EXPECT_EQ(daemon.End(SIGKILL), SIGKILL);
  }
  Daemon daemon;
  EXPECT_TRUE(daemon.Says(kFromModule));
  EXPECT_EQ(daemon.End(SIGTERM), 0);
}

TEST(StormReload, ModuleReloadedUnderTheDaemon) {
  if (!HasDaemon()) GTEST_SKIP() << "no daemon in this guest";
  Crowd crowd(2, ForkRound);
  Daemon daemon;
  EXPECT_TRUE(daemon.Says(kFromModule));
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(UnloadPatiently(), 0);
    EXPECT_TRUE(daemon.Says(CauseLine("no_module"))) << i;
    ASSERT_EQ(LoadModule(DefaultParameters()), 0);
    EXPECT_TRUE(daemon.Says(kFromModule)) << i;
  }
  EXPECT_EQ(daemon.End(SIGTERM), 0);
}

// The daemon is killed, perhaps while it reads, and the module is reloaded at
// once.
TEST(StormReload, DaemonKilledAndTheModuleReloaded) {
  if (!HasDaemon()) GTEST_SKIP() << "no daemon in this guest";
  Crowd crowd(2, ForkRound);
  for (int i = 0; i < 5; ++i) {
    Daemon daemon;
    EXPECT_TRUE(daemon.Says(kFromModule)) << i;
    EXPECT_EQ(daemon.End(SIGKILL), SIGKILL);
    ASSERT_EQ(LoadAfresh(), 0) << i;
  }
  Daemon daemon;
  EXPECT_TRUE(daemon.Says(kFromModule));
  EXPECT_EQ(daemon.End(SIGTERM), 0);
}

TEST(StormSlow, DebugfsUnmountedAndMounted) {
  if (!HasDaemon()) GTEST_SKIP() << "no daemon in this guest";
  Crowd crowd(2, ForkRound);
  Daemon daemon;
  EXPECT_TRUE(daemon.Says(kFromModule));
  for (int i = 0; i < 3; ++i) {
    int failed = -1;
    Eventually([&] { return !(failed = umount("/sys/kernel/debug")); });
    ASSERT_EQ(failed, 0);
    EXPECT_TRUE(daemon.Says(CauseLine("no_debugfs"))) << i;
    ASSERT_EQ(mount("debugfs", "/sys/kernel/debug", "debugfs", 0, nullptr), 0);
    EXPECT_TRUE(daemon.Says(kFromModule)) << i;
  }
}

}  // namespace
}  // namespace pf_test
