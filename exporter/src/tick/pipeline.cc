// SPDX-License-Identifier: Apache-2.0
#include "tick/pipeline.h"

#include <time.h>

#include <exception>
#include <new>
#include <utility>

#include "base/clock.h"

namespace pfe {

Pipeline::Pipeline(Source* source, const PipelineSettings& settings)
    : source_(source),
      settings_(settings),
      follower_(settings.max_comms, settings.count_first),
      selection_(settings.selection) {
  Configure(settings);
}

void Pipeline::Configure(const PipelineSettings& settings) {
  settings_ = settings;
  follower_.set_max_comms(settings.max_comms);
  follower_.set_birth_hold(static_cast<uint64_t>(
      std::chrono::nanoseconds(settings.birth_hold).count()));
  selection_.SetRules(settings.selection);
}

// Makes the view of a failed read. A successful read then completes it.
std::shared_ptr<View> Pipeline::Begin() const {
  auto next = std::make_shared<View>();
  next->source = source_->Name();
  next->errors = last_->errors;
  next->ticks = last_->ticks + 1;
  next->tick_cpu_seconds = last_->tick_cpu_seconds;
  next->read_at = last_->read_at;
  next->read_unix_seconds = last_->read_unix_seconds;
  next->rows = last_->rows;
  next->comms = last_->comms;
  next->cgroups = last_->cgroups;
  next->history = last_->history;
  next->seconds = last_->seconds;
  next->boot_unix_ns = last_->boot_unix_ns;
  return next;
}

void Pipeline::Render(const Forms& forms, View* next) {
  const FollowedTick& tick = follower_.last();
  ExpositionInput input;
  input.rows = tick.rows.get();
  input.comms = follower_.sums().all().get();
  input.changes = &tick.changes;
  input.selection = &selection_;
  input.cgroups = settings_.containers ? &cgroups_ : nullptr;
  input.offered = snapshot_.offered;
  input.boot_unix_ns = boot_.Note(ClockNs(CLOCK_REALTIME), BootTimeNs());
  input.boot_moved = input.boot_unix_ns != last_->boot_unix_ns;
  input.basic_families_only = settings_.basic_families_only;
  input.created = settings_.created;
  input.forms = forms;
  next->families = renderer_.Render(input, last_->families);
  next->boot_unix_ns = input.boot_unix_ns;
}

// Follows the rows and completes the view. Until Commit() an exception leaves
// follower and selection as they were.
void Pipeline::TakeOver(std::shared_ptr<Rows> rows, const Forms& forms,
                        View* next) {
  follower_.Follow(snapshot_, std::move(rows), last_->error.has_value());
  const FollowedTick& prepared = follower_.prepared();
  selection_.Select(prepared.rows->processes, prepared.states,
                    prepared.changes.all);
  follower_.Commit();

  const FollowedTick& tick = follower_.last();
  const Sums& sums = follower_.sums();
  if (settings_.containers)
    cgroups_.Update(settings_.procfs, tick.rows->processes,
                    selection_.selected(), tick.seconds);
  history_.Add(tick, *sums.all(),
               static_cast<double>(ClockNs(CLOCK_REALTIME)) / 1e9);
  Render(forms, next);
  next->source = snapshot_.source;
  next->reason = snapshot_.fell_back;
  next->host = tick.host.counters();
  next->module = std::move(snapshot_.module);
  next->latency = tick.host.latency();
  next->unattributed = tick.host.unattributed();
  next->processes = selection_.selected().size() + selection_.omitted();
  next->processes_omitted = selection_.omitted();
  next->comms_omitted = sums.omitted();
  if (!settings_.basic_families_only) next->held = HeldBackOf(*sums.all());
  next->rows = tick.rows;
  next->comms = sums.all();
  next->cgroups = cgroups_.table();
  next->history = history_;
  next->seconds = tick.seconds;
}

void Pipeline::Read(const Forms& forms, View* next) {
  const auto start = View::Clock::now();
  const uint64_t unix_ns = ClockNs(CLOCK_REALTIME);
  std::shared_ptr<Rows> rows = recycler_.Take();
  snapshot_.processes = std::move(rows->processes);
  snapshot_.fell_back.reset();
  auto error = source_->Read(&snapshot_);
  rows->processes = std::move(snapshot_.processes);
  if (error) {
    next->reason = snapshot_.fell_back ? snapshot_.fell_back : error;
    next->error = std::move(error);
    return;
  }
  TakeOver(std::move(rows), forms, next);
  next->read_at = start;
  next->read_unix_seconds = static_cast<double>(unix_ns) / 1e9;
}

// Frees the memory of what was read, then notes the error.
void Pipeline::GiveUp(Error error, View* next) {
  snapshot_ = Snapshot();
  recycler_.Forget();
  next->error = next->reason = std::move(error);
}

std::shared_ptr<const View> Pipeline::Tick(const Forms& forms) {
  const auto start = View::Clock::now();
  const uint64_t cpu = ClockNs(CLOCK_THREAD_CPUTIME_ID);
  std::shared_ptr<View> next = Begin();
  try {
    Read(forms, next.get());
  } catch (const std::bad_alloc&) {
    next = Begin();
    GiveUp(Error{Cause::kOutOfMemory,
                 "there is not enough memory for what the source has"},
           next.get());
  } catch (const std::exception& error) {
    next = Begin();
    GiveUp(Error{Cause::kInternal, std::string("unexpected: ") + error.what()},
           next.get());
  }
  for (size_t cause = 0; cause < kCauseNames.size(); ++cause)
    if (next->FailedBy(cause)) ++next->errors[cause];
  next->tick_seconds =
      std::chrono::duration<double>(View::Clock::now() - start).count();
  next->tick_cpu_seconds +=
      static_cast<double>(ClockNs(CLOCK_THREAD_CPUTIME_ID) - cpu) / 1e9;
  last_ = next;
  return next;
}

}  // namespace pfe
