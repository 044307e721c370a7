// SPDX-License-Identifier: Apache-2.0
// The result of a tick. /metrics, the API, the page, --top and --once read this
// and nothing else.
#ifndef EXPORTER_RENDER_VIEW_H_
#define EXPORTER_RENDER_VIEW_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/snapshot.h"
#include "follow/history.h"
#include "follow/rows.h"
#include "follow/sums.h"
#include "render/exposition.h"
#include "source/cgroup_cache.h"

namespace pfe {

// Thread safety: immutable. A reader that holds one is not disturbed by the
// next tick, and the next tick does not wait for it.
struct View {
  using Clock = std::chrono::steady_clock;

  // --- Health.
  std::string source;           // the preferred one if the read failed
  std::optional<Error> error;   // why the last read failed
  std::optional<Error> reason;  // why the preferred source could not be read
  std::array<uint64_t, kCauseNames.size()> errors{};  // since start, by Cause
  uint64_t ticks = 0;
  double tick_seconds = 0;      // the last one's duration
  double tick_cpu_seconds = 0;  // of all ticks
  // Of the last good read; absent before the first one.
  std::optional<Clock::time_point> read_at;
  double read_unix_seconds = 0;
  std::string limited;  // which processes it had not; see Snapshot

  // Whether this cause, by its index, kept a source from being read.
  bool FailedBy(size_t cause) const {
    return (error && static_cast<size_t>(error->cause) == cause) ||
           (reason && static_cast<size_t>(reason->cause) == cause);
  }

  // --- Of the last read; empty when it failed: values of processes that may
  // have gone are not served as metrics.
  RenderedFamilies families;
  HostCounters host;
  std::optional<ModuleStats> module;
  Latency latency;
  uint64_t unattributed = 0;
  // Growth that `families` do not show yet. Always 0 without families by comm.
  HeldBack held;
  HeldBack cgroups_held;
  HeldBack groups_held;

  // --- Of the last good read, also while reads fail; empty before the first.
  std::shared_ptr<const Rows> rows = std::make_shared<const Rows>();
  size_t processes = 0;  // live ones
  size_t processes_omitted = 0;
  std::shared_ptr<const Sums::All> comms = std::make_shared<const Sums::All>();
  size_t comms_omitted = 0;
  // Null without sums by control group.
  std::shared_ptr<const Sums::All> cgroup_sums;
  size_t cgroups_omitted = 0;
  std::shared_ptr<const Sums::All> groups;  // null without rules of groups
  size_t groups_omitted = 0;
  // By the index of cgroup_sums: the group that has their name, or null.
  std::shared_ptr<const CgroupsOfSums> cgroups_of_sums =
      std::make_shared<const CgroupsOfSums>();
  std::shared_ptr<const CgroupTable> cgroups =
      std::make_shared<const CgroupTable>();
  std::optional<Error> pod_names_error;  // see PodNames
  std::string names_error;               // see Cgroups, Groups
  History history;
  double seconds = 0;         // between the last two good reads
  uint64_t boot_unix_ns = 0;  // when the machine booted
};

}  // namespace pfe

#endif  // EXPORTER_RENDER_VIEW_H_
