// SPDX-License-Identifier: Apache-2.0
#include "pipeline.h"

#include <time.h>

#include <algorithm>
#include <utility>

#include "boot_time.h"
#include "cgroup_reader.h"

namespace pfe {
namespace {

// Control groups read a tick at most: each is a file.
constexpr size_t kCgroupsATick = 1000;

}  // namespace

Pipeline::Pipeline(Source* source, const PipelineSettings& settings)
    : source_(source),
      settings_(settings),
      tracker_(settings.max_comms, settings.count_first),
      selection_(settings.selection) {}

void Pipeline::Configure(const PipelineSettings& settings) {
  const std::lock_guard<std::mutex> lock(mutex_);
  settings_ = settings;
  tracker_.set_max_comms(settings.max_comms);
  selection_ = Selection(settings.selection);
}

// When the machine booted. Kept while the clock is only adjusted, so that
// start times do not flap; a clock that was set moves it.
uint64_t Pipeline::BootUnixNs() {
  const uint64_t now = ClockNs(CLOCK_REALTIME) - BootTimeNs();
  const uint64_t apart =
      now > boot_unix_ns_ ? now - boot_unix_ns_ : boot_unix_ns_ - now;
  if (apart > 1000000000u) boot_unix_ns_ = now;
  return boot_unix_ns_;
}

void Pipeline::ReadCgroups() {
  size_t left = kCgroupsATick;
  for (Tracked& tracked : tracker_.processes()) {
    if (!tracked.selected || tracked.cgroup_read) continue;
    if (left-- == 0) return;
    tracked.cgroup = ReadCgroup(settings_.procfs, tracked.process.pid);
    tracked.cgroup_read = true;
  }
}

void Pipeline::Use(Snapshot snapshot, const Publication& previous,
                   Publication* next) {
  const std::lock_guard<std::mutex> lock(mutex_);
  next->source = snapshot.source;
  next->reason = snapshot.fell_back;
  next->has_unattributed = !snapshot.stats.numbers.empty();
  ExpositionInput input;
  input.offered = snapshot.offered;
  tracker_.Update(&snapshot);
  input.selected = selection_.Select(&tracker_.processes());
  input.busiest = Busiest(input.selected, settings_.breakdown);
  if (settings_.containers) ReadCgroups();
  history_.Add(tracker_, static_cast<double>(ClockNs(CLOCK_REALTIME)) / 1e9);
  input.comms = &tracker_.comms();
  input.containers = settings_.containers;
  input.mandated_only = settings_.mandated_only;
  next->boot_unix_ns = input.boot_unix_ns = BootUnixNs();
  next->families = Render(input, previous.families);
  next->processes = input.selected.size() + selection_.omitted();
  next->processes_omitted = selection_.omitted();
  next->comms_omitted = tracker_.comms_omitted();
  next->unattributed = tracker_.unattributed();
  next->stats = tracker_.host();
  next->latency = tracker_.latency();
}

Publication Pipeline::Tick(const Publication& previous, bool compress) {
  const auto start = Publication::Clock::now();
  const uint64_t cpu = ClockNs(CLOCK_THREAD_CPUTIME_ID);
  Publication next;
  next.source = source_->Name();
  next.read_at = previous.read_at;
  next.errors = previous.errors;
  next.ticks = previous.ticks + 1;
  Result<Snapshot> snapshot = source_->Read();
  if (snapshot.ok()) {
    next.read_at = start;
    Use(std::move(snapshot.value()), previous, &next);
  } else {
    next.error = next.reason = snapshot.error();
  }
  if (next.reason) ++next.errors[static_cast<size_t>(next.reason->cause)];
  if (compress)
    for (const RenderedFamily& family : next.families) family.samples->gzip();
  next.tick_seconds =
      std::chrono::duration<double>(Publication::Clock::now() - start).count();
  next.tick_cpu_seconds =
      previous.tick_cpu_seconds +
      static_cast<double>(ClockNs(CLOCK_THREAD_CPUTIME_ID) - cpu) / 1e9;
  return next;
}

void Pipeline::Look(const Looker& look) const {
  const std::lock_guard<std::mutex> one(lookers_);
  const std::lock_guard<std::mutex> lock(mutex_);
  look(tracker_, history_);
}

}  // namespace pfe
