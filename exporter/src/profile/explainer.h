// SPDX-License-Identifier: Apache-2.0
// Explains where the faults of some processes come from: samples them for some
// seconds, and reads their exact counts before and after.
#ifndef EXPORTER_PROFILE_EXPLAINER_H_
#define EXPORTER_PROFILE_EXPLAINER_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "profile/address_spaces.h"
#include "profile/fault_events.h"
#include "profile/functions.h"
#include "profile/profile.h"
#include "profile/selector.h"
#include "source/source.h"

namespace pfe {

struct ExplainSettings {
  std::string what;  // see Selector
  std::chrono::milliseconds time{10000};
  std::string tracefs = "/sys/kernel/tracing";
  std::string procfs = "/proc";
  std::string cgroups = "/sys/fs/cgroup";
};

struct Explanation {
  double seconds = 0;
  bool by_module = false;  // sampled by the module's trace event
  bool is_exact = false;   // scaled to the module's counters
  std::string note;        // why not; empty if it is
  FaultSum all;            // the growth of the counters, else an estimate
  FaultSum unsampled;      // the part of it without a sample
  uint64_t samples = 0;
  uint64_t lost = 0;  // records for which a ring had no room
  bool has_stall = false;
  std::vector<NamedSum> mappings, functions, paths;
};

// For one thread.
class Explainer {
 public:
  explicit Explainer(const ExplainSettings& settings);

  // Takes `settings.time`, or until `is_ended` returns true. `module` has the
  // exact counts; without it they are estimated.
  Result<Explanation> Run(Source* module, bool (*is_ended)());

 private:
  void Sample(bool (*is_ended)());
  void Drain();
  void Take(const std::vector<Record>& records);
  void TakeSample(const FaultSample& sample);
  std::string MappingOf(const FaultSample& sample);
  std::string FunctionOf(uint32_t pid, uint64_t address, bool is_caller);

  const ExplainSettings settings_;
  Selector selector_;
  FaultEvents events_;
  AddressSpaces spaces_;
  Functions functions_;
  Profile profile_;
  uint64_t lost_ = 0;
};

// The explanation as text, for a person.
std::string ExplanationText(const std::string& what, const Explanation& of);

}  // namespace pfe

#endif  // EXPORTER_PROFILE_EXPLAINER_H_
