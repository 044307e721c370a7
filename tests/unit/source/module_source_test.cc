// SPDX-License-Identifier: Apache-2.0
#include "source/module_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "samples.h"

namespace pfe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A debugfs of our own, with the captured files in it.
class ModuleSourceTest : public testing::Test {
 protected:
  ModuleSourceTest() : root_(testing::TempDir() + "pfe_debugfs_XXXXXX") {
    if (!mkdtemp(root_.data())) abort();
    fs::copy(FIXTURES "/debugfs", root_, fs::copy_options::recursive);
  }
  ~ModuleSourceTest() override { fs::remove_all(root_); }

  fs::path File(const char* name) const {
    return fs::path(root_) / "page_faults" / name;
  }

  // Expects a read to fail for a cause, with a message that names a path.
  void ExpectError(Cause cause, const std::string& names) {
    ModuleSource source(root_);
    const auto result = ReadOf(&source);
    ASSERT_FALSE(result.ok());
    EXPECT_STREQ(CauseName(result.error().cause), CauseName(cause))
        << result.error().message;
    EXPECT_THAT(result.error().message, HasSubstr(names));
  }

  std::string root_;
};

TEST_F(ModuleSourceTest, ReadsTableAndStats) {
  ModuleSource source(root_);
  for (int i = 0; i < 2; ++i) {
    const auto result = ReadOf(&source);
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_GT(result.value().processes.size(), 100u);
    EXPECT_EQ(result.value().module->detail, "full");
  }
}

TEST_F(ModuleSourceTest, NoDebugfs) {
  fs::remove_all(root_ + "/page_faults");
  ExpectError(Cause::kNoDebugfs, root_);
}

TEST_F(ModuleSourceTest, NoModule) {
  // /proc is a mount without the directory.
  ModuleSource source("/proc");
  const auto result = ReadOf(&source);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().cause, Cause::kNoModule) << result.error().message;
  EXPECT_THAT(result.error().message, HasSubstr("modprobe page_faults"));
}

// open(2) then fails with ENXIO, as it does for a socket.
TEST_F(ModuleSourceTest, AModuleThatIsBeingUnloaded) {
  fs::remove(File("stats"));
  ASSERT_EQ(mknod(File("stats").c_str(), S_IFSOCK | 0600, 0), 0);
  ExpectError(Cause::kNoModule, "being unloaded");
}

TEST_F(ModuleSourceTest, NoPermission) {
  chmod(File("processes").c_str(), 0);
  if (geteuid() != 0)
    return ExpectError(Cause::kNoPermission, File("processes"));
  const pid_t child = fork();
  if (child == 0) {
    if (chmod(root_.c_str(), 0755) || setuid(65534)) _exit(2);
    ModuleSource source(root_);
    const auto result = ReadOf(&source);
    _exit(!result.ok() && result.error().cause == Cause::kNoPermission ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(ModuleSourceTest, Truncated) {
  fs::resize_file(File("processes"), 5000);
  ExpectError(Cause::kTruncated, File("processes"));
}

TEST_F(ModuleSourceTest, StatsTruncated) {
  fs::resize_file(File("stats"), 100);
  ExpectError(Cause::kTruncated, File("stats"));
}

TEST_F(ModuleSourceTest, StatsAbsent) {
  fs::remove(File("stats"));
  ExpectError(Cause::kMalformed, File("stats"));
}

TEST_F(ModuleSourceTest, UnknownVersion) {
  std::ofstream(File("processes")) << "# page_faults 9\n";
  ExpectError(Cause::kUnknownVersion, File("processes"));
}

TEST_F(ModuleSourceTest, ADirectoryInPlaceOfTheTable) {
  fs::remove(File("processes"));
  fs::create_directory(File("processes"));
  ExpectError(Cause::kIo, File("processes"));
}

// The module is loaded anew behind the read of `stats`: no mixture of both
// loads is shown, and no error.
TEST_F(ModuleSourceTest, AReloadBetweenItsFiles) {
  const fs::path current = fs::path(root_) / "page_faults";
  const fs::path next = fs::path(root_) / "next",
                 gone = fs::path(root_) / "gone";
  fs::copy(current, next);
  const std::string stats = "version 1\nloaded_ns 111\nfaults 7\nend 3\n";
  std::ofstream(next / "stats") << "version 1\nloaded_ns 222\nend 2\n";
  std::ofstream(next / "processes")
      << "# page_faults 1\npid\tstart_ns\tstate\tvma_kb\trss_kb\tfaults\tcomm\n"
         "5\t1\tlive\t1\t1\t1\tnew\n# end rows=1\n";
  fs::remove(current / "stats");
  ASSERT_EQ(mkfifo((current / "stats").c_str(), 0600), 0);
  std::thread reload([&] {
    std::ofstream pipe(current / "stats");  // waits for the reader
    fs::rename(current, gone);
    fs::remove(gone / "processes");
    fs::rename(next, current);
    pipe << stats;
  });
  ModuleSource source(root_);
  const auto result = ReadOf(&source);
  reload.join();
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result.value().epoch, 222u);
  ASSERT_EQ(result.value().processes.size(), 1u);
  EXPECT_EQ(result.value().processes[0].pid, 5u);
}

}  // namespace
}  // namespace pfe
