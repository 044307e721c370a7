// SPDX-License-Identifier: Apache-2.0
// deploy/unload-module while a reader has a file of the module open.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "module.h"
#include "page_faults.h"
#include "storm_kit.h"
#include "unload_module_text.h"

namespace pf_test {
namespace {

struct Result {
  int status;
  std::string output;
};

// Runs the script, which tries for this number of tenths of a second.
Result RunUnloadModule(int tenths) {
  const char kPath[] = "/tmp/unload-module";
  EXPECT_TRUE(WriteFile(kPath, kUnloadModuleText));
  const std::string command =
      std::string("sh ") + kPath + " " + std::to_string(tenths) + " 2>&1";
  FILE* pipe = popen(command.c_str(), "re");
  Result result{-1, ""};
  if (!pipe) return result;
  char buffer[256];
  for (size_t n; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;)
    result.output.append(buffer, n);
  result.status = WEXITSTATUS(pclose(pipe));
  return result;
}

int OpenProcesses() {
  return open("/sys/kernel/debug/" PF_DEBUGFS_DIR "/" PF_FILE_PROCESSES,
              O_RDONLY | O_CLOEXEC);
}

TEST(Unload, TriesUntilAReaderCloses) {
  const int fd = OpenProcesses();
  ASSERT_GE(fd, 0);
  std::thread reader([fd] {
    usleep(500000);
    close(fd);
  });
  const Result result = RunUnloadModule(600);
  reader.join();
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_EQ(result.output, "");
  EXPECT_FALSE(ModuleIsLoaded());
}

TEST(Unload, SaysWhoHoldsTheModule) {
  const int fd = OpenProcesses();
  ASSERT_GE(fd, 0);
  const Result result = RunUnloadModule(3);
  close(fd);
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.output.find(std::to_string(getpid()) + " (vm_tests)"),
            std::string::npos)
      << result.output;
  EXPECT_TRUE(ModuleIsLoaded());
}

TEST(Unload, IsContentWhereNothingIsLoaded) {
  ASSERT_EQ(UnloadPatiently(), 0);
  const Result result = RunUnloadModule(3);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.output, "");
}

}  // namespace
}  // namespace pf_test
