// SPDX-License-Identifier: Apache-2.0
#include "profile/profiler.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "wait.h"

namespace pfe {
namespace {

class ProfilerTest : public testing::Test {
 protected:
  ProfilerTest() {
    settings_.tracefs = "/nowhere";
    settings_.warn = [this](const std::string& problem) {
      const std::lock_guard<std::mutex> lock(mutex_);
      problems_.push_back(problem);
    };
  }
  // Faults on new pages of anonymous memory.
  static void Fault() {
    constexpr size_t kBytes = 16 << 20;
    void* const memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    madvise(memory, kBytes, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < kBytes; at += 4096)
      static_cast<volatile char*>(memory)[at] = 1;
    munmap(memory, kBytes);
  }
  static uint64_t AnonymousFaults(const Profiler& profiler) {
    for (const MappingSum& sum : profiler.mappings()->all)
      if (sum.comm == "unit_tests" && sum.mapping == "[anonymous]")
        return sum.faults;
    return 0;
  }

  std::mutex mutex_;
  std::vector<std::string> problems_;
  ProfilerSettings settings_;
};

TEST_F(ProfilerTest, SaysInWhichMappingsFaultsAre) {
  FaultEventsSettings wanted;
  if (const auto error = FaultEvents().Open(wanted))
    GTEST_SKIP() << error->message;
  Profiler profiler(settings_);
  WaitUntil([&] {
    Fault();
    return AnonymousFaults(profiler) > 10000;
  });
  EXPECT_TRUE(profiler.is_attached());
  EXPECT_GT(profiler.samples(), 100u);
  profiler.LetGo();
  WaitUntil([&] { return !profiler.is_attached(); });
  EXPECT_TRUE(profiler.Stop(std::chrono::minutes(10)));
  const std::lock_guard<std::mutex> lock(mutex_);
  ASSERT_EQ(problems_.size(), 1u);
  EXPECT_NE(problems_[0].find("/nowhere"), std::string::npos) << problems_[0];
}

TEST_F(ProfilerTest, EndsAtOnceWhileItRests) {
  Profiler profiler(settings_);
  profiler.LetGo();
  EXPECT_TRUE(profiler.Stop(std::chrono::minutes(10)));
  EXPECT_FALSE(profiler.is_attached());
}

}  // namespace
}  // namespace pfe
