// SPDX-License-Identifier: Apache-2.0
// Explains where the faults of some processes come from: samples them for some
// seconds, and reads their exact counts before and after.
#ifndef EXPORTER_PROFILE_EXPLAINER_H_
#define EXPORTER_PROFILE_EXPLAINER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "profile/address_spaces.h"
#include "profile/counter_growth.h"
#include "profile/fault_events.h"
#include "profile/functions.h"
#include "profile/labelled_profile.h"
#include "profile/profile.h"
#include "profile/selector.h"
#include "profile/stacks.h"
#include "profile/unwinder.h"
#include "source/source.h"

namespace pfe {

struct ExplainSettings {
  Selector selector = Selector::OfAll();
  std::chrono::milliseconds time{10000};
  bool with_labels = false;  // gives Explanation::labelled, and no lists
  std::string tracefs = "/sys/kernel/tracing";
  std::string procfs = "/proc";
  std::string cgroups = "/sys/fs/cgroup";
  // Call paths are unwound, instead of those by frame pointers.
  bool unwinds = false;
};

struct Explanation {
  double seconds = 0;
  bool by_module = false;          // sampled by the module's trace event
  bool is_exact = false;           // scaled to the module's counters
  std::vector<std::string> notes;  // what limits it, in sentences
  FaultSum all;        // the growth of the counters, else an estimate
  FaultSum unsampled;  // the part of it without a sample
  uint64_t samples = 0;
  double effective_samples = 0;  // see EffectiveSamples()
  uint64_t lost = 0;             // records for which a ring had no room
  bool has_stall = false;
  std::vector<NamedSum> mappings, functions, paths;
  LabelledProfile labelled;
  uint64_t begin_unix_ns = 0;
};

// Samples first, and names functions then: while it names, the kernel's buffers
// do not fill, and the module can be unloaded. Maps are read of the processes
// that are asked for alone.
//
// For one thread.
class Explainer {
 public:
  using IsEnded = std::function<bool()>;

  // How long functions are named. Those that are left have no names.
  static constexpr std::chrono::seconds kNaming{5};
  // How long stacks are unwound of the samples that are taken at once, those of
  // some 100 ms. The call paths that are left are those by frame pointers.
  static constexpr std::chrono::milliseconds kUnwinding{50};
  // A second, if stacks are unwound. A ring takes 30 of them, and is emptied
  // ten times.
  static constexpr uint64_t kMostUnwound = 300;

  explicit Explainer(const ExplainSettings& settings);

  // Takes `settings.time`, or until `is_ended` returns true. `module` has the
  // exact counts; without it they are estimated.
  Result<Explanation> Run(Source* module, const IsEnded& is_ended);

 private:
  std::optional<Error> Check(const IsEnded& is_ended);
  std::optional<Error> CheckPid() const;
  std::optional<Error> ReadCounters(Source* module, const IsEnded& is_ended);
  void FollowSelected(const Snapshot& reading, const IsEnded& is_ended);
  void Sample(Source* module, const IsEnded& is_ended);
  void Take(const std::vector<Record>& records);
  void TakeSample(const FaultSample& sample);
  bool IsSelected(const FaultSample& sample);
  Frame FrameOf(const FaultSample& sample, uint64_t address, bool is_caller);
  StackLabels LabelsOf(const FaultSample& sample);
  void Sum(Explanation* result, const IsEnded& is_ended);
  void SumByName(const std::map<Frame, std::string>& names,
                 Explanation* result) const;
  void SumByLabel(const std::map<Frame, std::string>& names,
                  const IsEnded& is_ended, Explanation* result) const;
  void NoteLimits(Explanation* result) const;

  const ExplainSettings settings_;
  Selector selector_;
  std::optional<FaultEvents> events_;  // while it samples
  AddressSpaces spaces_;
  Functions functions_;
  Unwinder unwinder_{&spaces_, &functions_};
  std::chrono::steady_clock::time_point unwinds_until_;
  Stacks stacks_;
  CounterGrowth growth_;
  std::optional<Error> uncounted_;  // why the counters cannot be read
  // Ids of control groups that are not selected, and whether one is new.
  std::unordered_set<uint64_t> others_;
  bool has_new_group_ = false;
  uint64_t lost_ = 0;
  // Between the first and the last reading of the counters (CLOCK_MONOTONIC).
  // Samples of before and after are left out.
  uint64_t begin_ns_ = 0;
  uint64_t end_ns_ = UINT64_MAX;
};

// The explanation as text, for a person.
std::string ExplanationText(const std::string& what, const Explanation& of);

}  // namespace pfe

#endif  // EXPORTER_PROFILE_EXPLAINER_H_
