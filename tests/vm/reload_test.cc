// SPDX-License-Identifier: Apache-2.0
// Loading and unloading while processes fault, fork and read. These run in a
// guest of their own (see --reload of deploy/vm/boot).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <vector>

#include "module.h"
#include "page_faults.h"
#include "storm_kit.h"
#include "subject.h"

namespace pf_test {
namespace {

// Processes that repeat a round until the object is destroyed.
class Storm {
 public:
  Storm(int n, const std::function<void()>& round) {
    for (int i = 0; i < n; ++i) {
      const pid_t pid = fork();
      if (pid == 0)
        for (;;) round();
      pids_.push_back(pid);
    }
  }
  ~Storm() {
    for (pid_t pid : pids_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
  }

 private:
  std::vector<pid_t> pids_;
};

void FaultAndFork() {
  void* memory = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(memory, 1, 1 << 20);
  munmap(memory, 1 << 20);
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
}

void ReadAll() {
  static char buffer[1 << 16];
  const auto start = std::chrono::steady_clock::now();
  for (const char* name : {PF_FILE_PROCESSES, PF_FILE_STATS, PF_FILE_LATENCY}) {
    const std::string path =
        std::string("/sys/kernel/debug/" PF_DEBUGFS_DIR "/") + name;
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    while (read(fd, buffer, sizeof(buffer)) > 0) {
    }
    close(fd);
  }
  PauseAfterReading(std::chrono::steady_clock::now() - start);
}

// Unloads and loads the module. While a reader has a file open it tries again.
void Cycle(int times) {
  for (int i = 0; i < times; ++i) {
    usleep(10000);
    int error = EAGAIN;
    Eventually([&] { return (error = UnloadModule()) != EAGAIN; });
    ASSERT_EQ(error, 0);
    ASSERT_EQ(LoadModule(DefaultParameters()), 0);
  }
}

TEST(Reload, WhileAllFault) {
  Storm storm(4, FaultAndFork);
  Cycle(50);
  EXPECT_EQ(UnloadModule(), 0);
}

TEST(Reload, WhileOthersRead) {
  Storm readers(4, ReadAll);
  Storm storm(2, FaultAndFork);
  Cycle(50);
  EXPECT_NE(ReadModuleFile(PF_FILE_STATS), "");
}

TEST(Reload, LeavesNothingBehind) {
  Storm storm(2, FaultAndFork);
  Cycle(5);
  ASSERT_EQ(UnloadModule(), 0);
  sleep(1);
  const uint64_t slab = MemInfo("SUnreclaim");
  const uint64_t vmalloc = MemInfo("VmallocUsed");
  ASSERT_EQ(LoadModule(DefaultParameters()), 0);
  Cycle(100);
  ASSERT_EQ(UnloadModule(), 0);
  // A table has 10 MB: if one were not freed, these limits would be exceeded.
  // The kernel may free memory some time after the unload.
  EXPECT_TRUE(Eventually([&] { return MemInfo("SUnreclaim") <= slab + 4096; }))
      << MemInfo("SUnreclaim") << " kB of slab, " << slab << " before";
  EXPECT_TRUE(Eventually([&] {
    return MemInfo("VmallocUsed") <= vmalloc + 1024;
  })) << MemInfo("VmallocUsed")
      << " kB of vmalloc, " << vmalloc << " before";
}

}  // namespace
}  // namespace pf_test
