// SPDX-License-Identifier: Apache-2.0
#include "tick/pipeline.h"

#include <time.h>

#include <exception>
#include <new>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"

namespace pfe {

Pipeline::Pipeline(Source* source, const PipelineSettings& settings)
    : source_(source),
      settings_(settings),
      follower_(settings.max_comms, settings.count_first),
      selection_(settings.selection),
      cgroups_(settings.procfs, settings.cgroups, settings.pod_logs) {
  Configure(settings);
}

// Sums by group need rules. So they are made after the rules, and ending them
// takes no memory: if memory runs out in the middle, the next tick still works.
void Pipeline::Configure(const PipelineSettings& settings) {
  if (groups_.SetRules(settings.groups)) follower_.ReleaseGroupPlaces();
  follower_.set_max_groups(settings.groups.empty() ? 0 : settings.max_groups);
  settings_ = settings;
  follower_.set_max_comms(settings.max_comms);
  follower_.set_max_cgroups(settings.max_cgroups, settings.cgroups_by_cell);
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
  next->limited = last_->limited;
  next->rows = last_->rows;
  next->processes = last_->processes;
  next->processes_omitted = last_->processes_omitted;
  next->comms = last_->comms;
  next->comms_omitted = last_->comms_omitted;
  next->cgroup_sums = last_->cgroup_sums;
  next->cgroups_omitted = last_->cgroups_omitted;
  next->cgroups_of_sums = last_->cgroups_of_sums;
  next->groups = last_->groups;
  next->groups_omitted = last_->groups_omitted;
  next->cgroups = last_->cgroups;
  next->pod_names_error = last_->pod_names_error;
  next->names_error = last_->names_error;
  next->history = last_->history;
  next->seconds = last_->seconds;
  next->boot_unix_ns = last_->boot_unix_ns;
  return next;
}

// Finds the group that has the name of each of the sums. It is kept while its
// sums are, so that what a group had counted still has the group's labels after
// the group is gone.
void Pipeline::FindCgroupsOfSums() {
  const Sums::All& all = *follower_.cgroup_sums()->all();
  auto found = std::make_shared<CgroupsOfSums>(*cgroups_of_sums_);
  found->resize(all.size());
  std::unordered_map<std::string_view, size_t> missing;
  for (size_t i = 0; i < all.size(); ++i) {
    if ((*found)[i] && (*found)[i]->path != all[i].name) (*found)[i].reset();
    // A group may have got its pod's name meanwhile.
    if ((!(*found)[i] || cgroups_.changed()) && all[i].name.starts_with('/'))
      missing.emplace(all[i].name, i);
  }
  const RowNames& names = cgroups_.names();
  const ProcessTable& processes = follower_.last().rows->processes;
  for (size_t row = 0; !missing.empty() && row < processes.size(); ++row) {
    const auto at = missing.find(names.names[names.of_row[row]]);
    if (at == missing.end()) continue;
    (*found)[at->second] = cgroups_.table()->Share(processes[row]);
    missing.erase(at);
  }
  cgroups_of_sums_ = std::move(found);
}

void Pipeline::ShowCgroups(View* next) const {
  next->cgroups = cgroups_.table();
  next->pod_names_error.reset();
  next->names_error = groups_.error();
  // Without their use the control groups have the errors of an earlier tick.
  if (follower_.cgroup_sums() || groups_.need_cgroups() ||
      settings_.containers) {
    next->pod_names_error = cgroups_.pod_names().error();
    if (!cgroups_.error().empty()) next->names_error = cgroups_.error();
  }
  const Sums* sums = follower_.cgroup_sums();
  next->cgroup_sums = sums ? sums->all() : nullptr;
  next->cgroups_of_sums = cgroups_of_sums_;
  next->cgroups_omitted = sums ? sums->omitted() : 0;
  if (!sums) return;
  if (!settings_.basic_families_only)
    next->cgroups_held = HeldBackOf(*sums->all());
}

// Processes of one group share the text of its name.
void Pipeline::NameGroups(const ProcessTable& processes) {
  const FollowedTick& last = follower_.last();
  groups_.Follow(
      settings_.procfs, *last.rows,
      last.source == snapshot_.source && last.epoch == snapshot_.epoch,
      processes, snapshot_.read_ns,
      cgroups_.by_ids() ? cgroups_.table().get() : nullptr);
  group_names_.names.clear();
  group_names_.of_row.resize(processes.size());
  std::unordered_map<const std::string*, uint32_t> index;
  for (size_t row = 0; row < processes.size(); ++row) {
    const std::string& name = groups_.Of(row);
    const auto [at, is_new] = index.try_emplace(
        &name, static_cast<uint32_t>(group_names_.names.size()));
    if (is_new) group_names_.names.push_back(name);
    group_names_.of_row[row] = at->second;
  }
}

void Pipeline::ShowGroups(View* next) const {
  const Sums* sums = follower_.group_sums();
  next->groups = sums ? sums->all() : nullptr;
  next->groups_omitted = sums ? sums->omitted() : 0;
  if (!sums) return;
  if (!settings_.basic_families_only)
    next->groups_held = HeldBackOf(*sums->all());
}

void Pipeline::Render(const Forms& forms, View* next) {
  const FollowedTick& tick = follower_.last();
  ExpositionInput input;
  input.rows = tick.rows.get();
  input.comms = follower_.sums().all().get();
  input.changes = &tick.changes;
  input.selection = &selection_;
  input.cgroups = settings_.containers ? cgroups_.table().get() : nullptr;
  input.cgroups_changed = cgroups_.changed() || tick.changes.cgroup;
  if (const Sums* sums = follower_.cgroup_sums()) {
    input.cgroup_sums = sums->all().get();
    input.cgroups_of_sums = cgroups_of_sums_.get();
    input.cgroup_sums_by_cell = settings_.cgroups_by_cell;
  }
  if (const Sums* sums = follower_.group_sums())
    input.groups = sums->all().get();
  input.offered = snapshot_.offered;
  input.boot_unix_ns = boot_.Note(ClockNs(CLOCK_REALTIME), BootTimeNs());
  input.boot_moved = input.boot_unix_ns != last_->boot_unix_ns;
  input.basic_families_only = settings_.basic_families_only;
  input.created = settings_.created;
  input.forms = forms;
  next->families = renderer_.Render(input, last_->families);
  next->boot_unix_ns = input.boot_unix_ns;
}

// Follows the rows and completes the view. Until Commit() an exception or error
// leaves follower and selection as they were.
std::optional<Error> Pipeline::TakeOver(std::shared_ptr<Rows> rows,
                                        const Forms& forms, View* next) {
  const uint64_t last_ns = follower_.last().read_ns;
  const uint64_t now_ns = snapshot_.read_ns;
  const double seconds =
      last_ns ? static_cast<double>(now_ns - last_ns) / 1e9 : 0;
  const bool all_cgroups = follower_.cgroup_sums() || groups_.need_cgroups();
  if (all_cgroups) cgroups_.FindAll(rows->processes, now_ns, seconds);
  if (groups_.has_rules()) NameGroups(rows->processes);
  rows->cgroups.Keep(follower_.cgroup_sums() ? &cgroups_.names() : nullptr);
  rows->groups.Keep(groups_.has_rules() ? &group_names_ : nullptr);
  if (const auto pid =
          follower_.Follow(snapshot_, std::move(rows), last_->error.has_value(),
                           &cgroups_.names(), &group_names_))
    return Error{Cause::kMalformed, "the source " + snapshot_.source +
                                        " has two rows of pid " +
                                        std::to_string(*pid)};
  const FollowedTick& prepared = follower_.prepared();
  selection_.Select(prepared.rows->processes, prepared.states,
                    prepared.changes.all);
  follower_.Commit();
  groups_.Commit();

  const FollowedTick& tick = follower_.last();
  const Sums& sums = follower_.sums();
  if (follower_.cgroup_sums())
    FindCgroupsOfSums();
  else if (settings_.containers && !all_cgroups)
    cgroups_.FindOf(tick.rows->processes, selection_.selected(), now_ns,
                    tick.seconds);
  history_.Add(tick, *sums.all(),
               static_cast<double>(ClockNs(CLOCK_REALTIME)) / 1e9);
  Render(forms, next);
  next->source = snapshot_.source;
  next->reason = snapshot_.fell_back;
  next->limited = snapshot_.limited;
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
  ShowCgroups(next);
  ShowGroups(next);
  next->history = history_;
  next->seconds = tick.seconds;
  return std::nullopt;
}

void Pipeline::Read(const Forms& forms, View* next) {
  const auto start = View::Clock::now();
  const uint64_t unix_ns = ClockNs(CLOCK_REALTIME);
  std::shared_ptr<Rows> rows = recycler_.Take();
  snapshot_.processes = std::move(rows->processes);
  snapshot_.fell_back.reset();
  auto error = source_->Read(&snapshot_);
  rows->processes = std::move(snapshot_.processes);
  if (!error) error = TakeOver(std::move(rows), forms, next);
  if (error) {
    next->reason = snapshot_.fell_back ? snapshot_.fell_back : error;
    next->error = std::move(error);
    return;
  }
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
