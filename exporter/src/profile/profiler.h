// SPDX-License-Identifier: Apache-2.0
// Samples the faults of all processes all the time, and says in which mappings
// they are.
#ifndef EXPORTER_PROFILE_PROFILER_H_
#define EXPORTER_PROFILE_PROFILER_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/mapping_sums.h"
#include "profile/address_spaces.h"
#include "profile/fault_events.h"
#include "profile/mapping_faults.h"

namespace pfe {

struct ProfilerSettings {
  std::string tracefs = "/sys/kernel/tracing";
  std::string procfs = "/proc";
  size_t max_mappings = 100;
  std::chrono::nanoseconds birth_hold{0};  // see MappingFaults
  // Called by the profiler's thread with what keeps it from sampling, or makes
  // the sums worse; once for each text.
  std::function<void(const std::string&)> warn = [](const std::string&) {};
};

// Thread safety: all public members.
class Profiler {
 public:
  // After LetGo() and after a failure it waits so long before it attaches
  // again.
  static constexpr std::chrono::seconds kRest{10};
  static constexpr size_t kRingBytes = 1 << 20;  // of all rings
  // Reading the maps of each process that runs for a moment would take 2 % of a
  // core on a machine that compiles.
  static constexpr AddressSpaceLimits kLimits = {4 << 20, 1 << 20, 64 << 10};
  static constexpr uint64_t kMostSamples = 1000;  // a second

  // Starts its thread.
  explicit Profiler(ProfilerSettings settings);
  // Waits for the end of the thread.
  ~Profiler();
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  // Detaches for a time, so that the module can be unloaded. Does not wait.
  void LetGo();
  // Ends the thread, and waits for it at most as long as `limit`. Returns
  // whether it has ended. If not, a read hangs: the destructor would hang too.
  bool Stop(std::chrono::milliseconds limit);

  bool is_attached() const { return is_attached_; }
  uint64_t samples() const { return samples_; }
  uint64_t lost() const { return lost_; }
  std::shared_ptr<const MappingSums> mappings() const;

 private:
  using Clock = std::chrono::steady_clock;

  void RestFor(std::chrono::seconds time);
  // Waits until it may attach. Returns false at the end.
  bool AwaitRest();
  // Waits, and returns whether to go on. Does not at the end or after LetGo().
  bool Pause();
  void Run();
  void Sample();
  bool IsOutdated(const FaultEvents& events) const;
  void Take(const std::vector<Record>& records);
  void Show();
  void Warn(const std::string& problem);

  const ProfilerSettings settings_;
  // Of the thread.
  AddressSpaces spaces_;
  MappingFaults faults_;
  std::string warned_;  // the last one

  std::atomic<bool> is_attached_ = false;
  std::atomic<uint64_t> samples_ = 0;
  std::atomic<uint64_t> lost_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool is_over_ = false;                        // mutex_
  bool has_ended_ = false;                      // mutex_: the thread
  Clock::time_point rests_until_;               // mutex_
  std::shared_ptr<const MappingSums> mappings_  // mutex_
      = std::make_shared<const MappingSums>();
  std::thread thread_;  // the last one: it uses the others
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_PROFILER_H_
