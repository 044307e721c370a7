// SPDX-License-Identifier: Apache-2.0
// The perf events that sample faults on every CPU, and those that tell what
// processes map and how they are called.
#ifndef EXPORTER_PROFILE_FAULT_EVENTS_H_
#define EXPORTER_PROFILE_FAULT_EVENTS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "profile/event_format.h"
#include "profile/record.h"
#include "profile/ring.h"
#include "profile/samplers.h"

struct perf_event_attr;

namespace pfe {

// The module's trace event in tracefs.
struct ModuleEvent {
  std::string path;  // of its directory
  uint64_t id = 0;
  std::optional<FaultFormat> format;  // nothing if it cannot be used
  // Why it cannot be: a sentence without its full stop.
  std::string why_not;
};
ModuleEvent FindModuleEvent(const std::string& tracefs);

// Moves the records that are not newer than `until` from `held` to the end of
// `records`, ordered by time. Those of one time keep their order.
void TakeUntil(uint64_t until, std::vector<Record>* held,
               std::vector<Record>* records);

// The list of the CPUs that are online, as sysfs has it; empty if it cannot be
// read.
std::string OnlineCpus();

struct FaultEventsSettings {
  std::string tracefs;
  bool call_paths = true;
  // Copies stacks, to unwind them. A sample takes some 8.3 kB then.
  bool stacks = false;
  // Of all rings together, but each has at least kLeastPages pages, and
  // kLeastStackBytes if stacks are copied.
  size_t ring_bytes = 4 << 20;
  // A second. If there are more, they are thinned out: then a sample stands for
  // more faults.
  uint64_t most_samples = 5000;
};

// For one thread.
class FaultEvents {
 public:
  static constexpr size_t kLeastPages = 16;
  // 30 samples. With the rings of others it is about what a user without
  // CAP_IPC_LOCK may have on each CPU (perf_event_mlock_kb).
  static constexpr size_t kLeastStackBytes = 256 << 10;

  FaultEvents() = default;
  ~FaultEvents();
  FaultEvents(const FaultEvents&) = delete;
  FaultEvents& operator=(const FaultEvents&) = delete;

  // Attaches: to the module's trace event if it can be used, else to the
  // kernel's events page-faults, minor and major, which know neither time nor
  // kind. A CPU that goes offline meanwhile is left out. While the module's
  // event is in use, the module cannot be unloaded. To be called once.
  std::optional<Error> Open(const FaultEventsSettings& settings);
  bool by_module() const { return by_module_; }
  // Why the module's event is not in use: a sentence without its full stop.
  // Empty if by_module().
  const std::string& why_not_module() const { return why_not_module_; }

  // What OnlineCpus() was.
  const std::string& cpus() const { return cpus_; }

  // Appends the records since the last call, ordered by time, also those of one
  // call after those of another. What is newer than the call itself is held
  // back for the next one: a ring that was read before can have an older record
  // by now. A record that a ring had no room for is counted in a LostRecord.
  void Drain(std::vector<Record>* records);
  // The same at the end: it holds nothing back. The kernel writes how many
  // records were lost only when a ring has room for the next one, so what it
  // did not write is asked for (since 6.0).
  void DrainAll(std::vector<Record>* records);
  // The number of records that were not understood. What is lost behind a
  // broken header counts as one.
  uint64_t unparsed() const { return unparsed_; }
  // These, and the records that rings had no room for.
  uint64_t lost() const { return std::max(lost_, CountLost()) + unparsed_; }
  // Of the module's event when it was opened; 0 if there was none.
  uint64_t module_id() const { return module_id_; }
  // Whether samples were thinned out.
  bool was_thinned() const { return was_thinned_; }

 private:
  // A call that failed.
  struct Failure {
    const char* call = "";
    int error = 0;  // errno
    Error ToError() const;
  };
  std::optional<Failure> OpenAll(const std::vector<int>& cpus,
                                 const ModuleEvent& module);
  std::optional<Failure> OpenOn(int cpu, const ModuleEvent& module,
                                size_t pages);
  std::optional<Failure> OpenSampler(const Sampler& sampler, int cpu,
                                     int output);
  std::optional<Failure> OpenEvent(const perf_event_attr& attr, int cpu,
                                   EventKind kind, int* event);
  void Close();
  void ReadRings();
  uint64_t CountLost() const;
  void Adapt(uint64_t now);
  void SetLevel(size_t level);

  FaultEventsSettings settings_;
  std::string cpus_;
  uint64_t module_id_ = 0;
  bool by_module_ = false;
  std::string why_not_module_;
  std::optional<RecordParser> parser_;
  std::vector<int> events_;
  std::array<std::vector<int>, kSampleLevels> samplers_;  // among events_
  std::vector<std::unique_ptr<Ring>> rings_;
  std::vector<Record> held_;  // read, but not yet given
  uint64_t unparsed_ = 0;
  uint64_t lost_ = 0;  // in LostRecords
  size_t level_ = 0;
  bool was_thinned_ = false;
  uint64_t adapted_ns_ = 0;
  uint64_t samples_ = 0;  // read or lost since then
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_FAULT_EVENTS_H_
