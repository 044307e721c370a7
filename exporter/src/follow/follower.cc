// SPDX-License-Identifier: Apache-2.0
#include "follow/follower.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/clock.h"
#include "base/refill.h"

namespace pfe {
namespace {

// In kFadeSeconds RowState::recent decays by the factor kFade.
constexpr double kFadeSeconds = 5;
constexpr double kFade = 0.8;

}  // namespace

Follower::Follower(size_t max_comms, bool count_first)
    : count_first_(count_first), sums_(max_comms) {}

void Follower::set_max_cgroups(size_t max, bool by_cell) {
  cgroups_.SetMax(max, by_cell, has_last_);
}

void Follower::set_max_groups(size_t max) {
  groups_.SetMax(max, true, has_last_);
}

void Follower::set_birth_hold(uint64_t ns) {
  sums_.set_birth_hold(ns);
  cgroups_.SetBirthHold(ns);
  groups_.SetBirthHold(ns);
}

void Follower::Begin(const Snapshot& snapshot, const Rows& rows,
                     bool interrupted) {
  const bool new_source = !has_last_ || snapshot.source != last_.source ||
                          snapshot.epoch != last_.epoch;
  next_.source = snapshot.source;
  next_.epoch = snapshot.epoch;
  next_.read_ns = snapshot.read_ns;
  next_.seconds =
      has_last_ ? static_cast<double>(next_.read_ns - last_.read_ns) / 1e9 : 0;
  fade_ = static_cast<float>(std::pow(kFade, next_.seconds / kFadeSeconds));
  next_.changes = Changes();
  next_.changes.all = new_source;
  ClearForRefill(&next_.states);
  next_.states.resize(rows.processes.size());
  matcher_.Begin(*last_.rows, !new_source);
  continuity_.Begin(new_source, last_.rows->processes.size());
  may_be_old_ = new_source || snapshot.can_miss_processes;
  sums_.Begin(next_.read_ns, snapshot.offered, interrupted);
  next_.changes.released = sums_.released();
  for (RowNameSums* sums : {&cgroups_, &groups_})
    next_.changes.released |=
        sums->Begin(next_.read_ns, snapshot.offered, interrupted);
}

void Follower::NoteChanges(const Process& old, const Process& process,
                           bool renamed) {
  const Counters& growth = growth_.counters;
  next_.changes.counters |=
      (growth.faults | growth.major | growth.stall_ns | growth_.slow[0]) != 0;
  next_.changes.rows |= old.live != process.live || renamed;
  next_.changes.vma |= old.vma_kb != process.vma_kb;
  next_.changes.rss |= old.rss_kb != process.rss_kb;
  next_.changes.rss_split |= old.rss_anon_kb != process.rss_anon_kb ||
                             old.rss_file_kb != process.rss_file_kb ||
                             old.rss_shmem_kb != process.rss_shmem_kb;
  next_.changes.swap |= old.swap_kb != process.swap_kb;
  next_.changes.hugetlb |= old.hugetlb_kb != process.hugetlb_kb;
  next_.changes.cgroup |= old.cgroup != process.cgroup;
}

void Follower::ContinueRow(uint32_t previous, Rows* rows, uint32_t index) {
  const ProcessTable& old_table = last_.rows->processes;
  const Process& old = old_table[previous];
  const RowState& was = last_.states[previous];
  Process& process = rows->processes[index];
  RowState& state = next_.states[index];
  const std::string_view comm = rows->processes.comm(process);
  state.previous = previous;
  state.renamed = old_table.comm(old) != comm;
  state.offset = continuity_.Continue(old_table, old, was.offset,
                                      &rows->processes, &process, &growth_);
  state.recent =
      was.recent * fade_ + static_cast<float>(growth_.counters.faults);
  NoteChanges(old, process, state.renamed);
  state.comm = sums_.Add(process, comm, state.renamed ? Sums::kOther : was.comm,
                         growth_);
  next_.changes.rows |= state.comm != was.comm;
  rows->growth[index] = growth_.counters;
}

void Follower::StartRow(Rows* rows, uint32_t index) {
  const ProcessTable& table = rows->processes;
  const Process& process = table[index];
  RowState& state = next_.states[index];
  const bool counts =
      has_last_ ? !may_be_old_ || process.start_ns + kProcTickNs > last_.read_ns
                : count_first_;
  if (counts) {
    growth_.counters = CountersOf(process);
    growth_.slow = table.slow(process);
    const uint64_t* count = table.counts(process);
    ForEachCell(process.cells,
                [&](size_t cell) { growth_.SetCell(cell, *count++); });
  }
  state.renamed = true;
  next_.changes.rows = true;
  state.comm = sums_.Add(process, table.comm(process), Sums::kOther, growth_);
  // Faults from before the first tick count neither as recent nor as growth.
  if (!has_last_) return;
  state.recent = static_cast<float>(growth_.counters.faults);
  rows->growth[index] = growth_.counters;
}

void Follower::FollowRows(Rows* rows, const RowNames* cgroups,
                          const RowNames* groups) {
  const auto size = static_cast<uint32_t>(rows->processes.size());
  ClearForRefill(&rows->growth);
  rows->growth.resize(size);
  rows->youngest_ns = 0;
  unmatched_.clear();
  for (uint32_t i = 0; i < size; ++i) {
    const Process& process = rows->processes[i];
    rows->youngest_ns = std::max(rows->youngest_ns, process.start_ns);
    growth_.Clear();
    const uint32_t previous = matcher_.Find(process);
    if (previous == kNoRow || next_.changes.all) unmatched_.push_back(i);
    if (previous == kNoRow)
      StartRow(rows, i);
    else
      ContinueRow(previous, rows, i);
    if (cgroups_.get()) cgroups_.Add(process, *cgroups, i, growth_);
    if (groups_.get()) groups_.Add(process, *groups, i, growth_);
  }
}

// The faults that the source had counted, in the last tick, for the rows that
// are gone now. The module retired these rows with at least these counts.
uint64_t Follower::FaultsOfGoneRows() {
  uint64_t faults = 0;
  matcher_.ForEachGone([&](uint32_t i) {
    next_.changes.rows = true;
    faults += continuity_.SourceFaults(last_.rows->processes[i],
                                       last_.states[i].offset);
  });
  return faults;
}

// Rows that were matched are of different processes, since the rows of the last
// tick were: only the others are compared with each other.
std::optional<uint32_t> Follower::PidOfTwoRows(const ProcessTable& processes) {
  if (matcher_.pid_again()) return matcher_.pid_again();
  const auto identity = [&processes](uint32_t i) {
    return std::pair(processes[i].pid, processes[i].start_ns);
  };
  std::sort(unmatched_.begin(), unmatched_.end(),
            [&](uint32_t a, uint32_t b) { return identity(a) < identity(b); });
  const auto two = std::adjacent_find(
      unmatched_.begin(), unmatched_.end(),
      [&](uint32_t a, uint32_t b) { return identity(a) == identity(b); });
  if (two == unmatched_.end()) return std::nullopt;
  return processes[*two].pid;
}

std::optional<uint32_t> Follower::Follow(const Snapshot& snapshot,
                                         std::shared_ptr<Rows> rows,
                                         bool interrupted,
                                         const RowNames* cgroups,
                                         const RowNames* groups) {
  Begin(snapshot, *rows, interrupted);
  FollowRows(rows.get(), cgroups, groups);
  // A name can leave the bucket in a tick in which no value of a row changes.
  if (const Sums* sums = cgroups_.get()) next_.changes.rows |= sums->placed();
  next_.host = last_.host;
  next_.host.Update(snapshot, {!has_last_, next_.changes.all, count_first_,
                               FaultsOfGoneRows()});
  next_.rows = std::move(rows);
  return PidOfTwoRows(next_.rows->processes);
}

void Follower::Commit() noexcept {
  continuity_.Commit();
  sums_.Commit();
  cgroups_.Commit();
  groups_.Commit();
  std::swap(last_, next_);
  // Drops our reference to the rows of the tick before, so that they can be
  // refilled.
  next_.rows = nullptr;
  has_last_ = true;
}

}  // namespace pfe
