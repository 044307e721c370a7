// SPDX-License-Identifier: Apache-2.0
// The perf events that sample faults on every CPU, and those that tell what
// processes map and how they are called.
#ifndef EXPORTER_PROFILE_FAULT_EVENTS_H_
#define EXPORTER_PROFILE_FAULT_EVENTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "profile/record.h"
#include "profile/ring.h"

struct perf_event_attr;

namespace pfe {

// For one thread.
class FaultEvents {
 public:
  // Of the kernel's events, every so many minor faults of a CPU give a sample,
  // as those of the module's event do by default, and every major one. A prime,
  // so that it does not keep step with loops.
  static constexpr uint64_t kMinorPeriod = 97;
  // Bytes of all rings together, but each has at least kLeastPages pages.
  static constexpr size_t kRingBytes = 4 << 20;
  static constexpr size_t kLeastPages = 16;

  FaultEvents() = default;
  ~FaultEvents();
  FaultEvents(const FaultEvents&) = delete;
  FaultEvents& operator=(const FaultEvents&) = delete;

  // Attaches: to the module's trace event if `tracefs` has it, else to the
  // kernel's events page-faults, minor and major, which know neither time nor
  // kind. While the module's event is in use, the module cannot be unloaded.
  std::optional<Error> Open(const std::string& tracefs);
  bool by_module() const { return by_module_; }

  // Appends the records since the last call, ordered by time. A record that a
  // ring had no room for is counted in a LostRecord.
  void Drain(std::vector<Record>* records);

 private:
  std::optional<Error> OpenOn(int cpu, uint64_t trace_event, size_t pages);
  std::optional<Error> OpenEvent(const perf_event_attr& attr, int cpu,
                                 EventKind kind, int* event);

  bool by_module_ = false;
  std::optional<RecordParser> parser_;
  std::vector<int> events_;
  std::vector<std::unique_ptr<Ring>> rings_;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_FAULT_EVENTS_H_
