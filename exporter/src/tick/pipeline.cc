// SPDX-License-Identifier: Apache-2.0
#include "tick/pipeline.h"

#include <time.h>

#include <utility>

#include "base/clock.h"

namespace pfe {
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

void Pipeline::Use(const Publication& previous, const Forms& forms,
                   Publication* next) {
  const std::lock_guard<std::mutex> lock(mutex_);
  next->source = snapshot_.source;
  next->reason = snapshot_.fell_back;
  ExpositionInput input;
  input.offered = snapshot_.offered;
  tracker_.Update(&snapshot_);
  selection_.Select(&tracker_);
  if (settings_.containers)
    cgroups_.Update(settings_.procfs, tracker_.processes(),
                    selection_.selected());
  history_.Add(tracker_, static_cast<double>(ClockNs(CLOCK_REALTIME)) / 1e9);
  input.tracker = &tracker_;
  input.selection = &selection_;
  input.cgroups = settings_.containers ? &cgroups_ : nullptr;
  input.mandated_only = settings_.mandated_only;
  input.forms = forms;
  next->boot_unix_ns = input.boot_unix_ns =
      boot_.Note(ClockNs(CLOCK_REALTIME), BootTimeNs());
  input.boot_moved = next->boot_unix_ns != previous.boot_unix_ns;
  next->families = renderer_.Render(input, previous.families);
  next->processes = selection_.selected().size() + selection_.omitted();
  next->processes_omitted = selection_.omitted();
  next->comms_omitted = tracker_.comms_omitted();
  next->unattributed = tracker_.unattributed();
  next->host = tracker_.host();
  next->module = std::move(snapshot_.module);
  next->latency = tracker_.latency();
}

Publication Pipeline::Tick(const Publication& previous, const Forms& forms) {
  const auto start = Publication::Clock::now();
  const uint64_t cpu = ClockNs(CLOCK_THREAD_CPUTIME_ID);
  Publication next;
  next.source = source_->Name();
  next.read_at = previous.read_at;
  next.errors = previous.errors;
  next.ticks = previous.ticks + 1;
  if (auto error = source_->Read(&snapshot_)) {
    next.error = next.reason = std::move(error);
  } else {
    next.read_at = start;
    Use(previous, forms, &next);
  }
  if (next.reason) ++next.errors[static_cast<size_t>(next.reason->cause)];
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
  look(tracker_, history_, cgroups_);
}

}  // namespace pfe
