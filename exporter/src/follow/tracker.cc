// SPDX-License-Identifier: Apache-2.0
#include "follow/tracker.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/recycle.h"

namespace pfe {
namespace {

// A comm without processes keeps its place that many ticks, if it is wanted.
constexpr uint64_t kIdleTicks = 120;
// Rows of the last tick that are looked at where a row should be.
constexpr uint32_t kLookahead = 8;
// Names remembered to be counted as left out: any user can make up more.
constexpr size_t kMostOmitted = 100000;

Counters CountersOf(const Process& process) {
  return {process.faults, process.minor, process.major, process.stall_ns};
}

// Modulo 2^64.
Counters Less(const Counters& a, const Counters& b) {
  return {a.faults - b.faults, a.minor - b.minor, a.major - b.major,
          a.stall_ns - b.stall_ns};
}

// What fell has not grown, and comes back without being counted again.
uint64_t Growth(uint64_t before, uint64_t now) {
  return now > before ? now - before : 0;
}

Counters GrowthOf(const Counters& before, const Counters& now) {
  return {Growth(before.faults, now.faults), Growth(before.minor, now.minor),
          Growth(before.major, now.major),
          Growth(before.stall_ns, now.stall_ns)};
}

void Add(const Counters& growth, Counters* to) {
  to->faults += growth.faults;
  to->minor += growth.minor;
  to->major += growth.major;
  to->stall_ns += growth.stall_ns;
}

void SetCounters(const Counters& counters, Process* process) {
  process->faults = counters.faults;
  process->minor = counters.minor;
  process->major = counters.major;
  process->stall_ns = counters.stall_ns;
}

// Adds the histogram of earlier epochs; bounds that differ begin anew.
void AddLatency(const Latency& before, Latency* now) {
  if (before.bounds_ns != now->bounds_ns) return;
  for (size_t s = 0; s < kSeverities; ++s) {
    const Histogram& from = before.severities[s];
    Histogram& to = now->severities[s];
    for (size_t i = 0; i < from.counts.size(); ++i)
      to.counts[i] += from.counts[i];
    to.count += from.count;
    to.sum_ns += from.sum_ns;
  }
}

}  // namespace

Tracker::Tracker(size_t max_comms, bool count_first)
    : max_comms_(max_comms), count_first_(count_first) {
  comms_.emplace_back().comm = "other";
  // A program of that name is in the bucket too: no label set comes twice.
  comm_index_["other"] = kOther;
}

// Within an epoch starts are exact; across sources only to a clock tick.
Identity Tracker::IdentityOf(const Process& process) const {
  return {process.pid,
          new_epoch_ ? process.start_ns / kProcTickNs : process.start_ns};
}

// Rows mostly come in the order of the last tick: `hint` is where it should be.
uint32_t Tracker::FindOld(const Process& process, uint32_t hint) {
  const Identity wanted = IdentityOf(process);
  const auto of = [this](uint32_t i) { return IdentityOf(old_processes_[i]); };
  const auto size = static_cast<uint32_t>(old_processes_.size());
  for (uint32_t i = hint; i < std::min(hint + kLookahead, size); ++i)
    if (of(i) == wanted && !taken_[i]) return i;
  // Nor was it there if it is younger than all that were.
  if (!new_epoch_ && process.start_ns > old_youngest_ns_)
    return IdentityIndex::kNone;
  if (!index_built_) index_.Build(size, of);
  index_built_ = true;
  const uint32_t found = index_.Find(wanted, of);
  return found != IdentityIndex::kNone && taken_[found] ? IdentityIndex::kNone
                                                        : found;
}

void Tracker::ContinueInEpoch(const Process& old, Tracked* tracked,
                              Process* process) {
  Counters total = CountersOf(old);
  const Counters read =
      tracked->is_short ? Less(total, tracked->is_short->counters) : total;
  tracked->growth = GrowthOf(read, CountersOf(*process));
  Add(tracked->growth, &total);
  SetCounters(total, process);
  ContinueBreakdown(old, *tracked, process);
}

// All stands still; from here on it grows by what the source's values grow.
void Tracker::ContinueInNewEpoch(const Process& old, Tracked* tracked,
                                 Process* process) {
  if (!tracked->is_short)
    tracked->is_short = std::make_unique<Tracked::Short>();
  Tracked::Short& is_short = *tracked->is_short;
  is_short.counters = Less(CountersOf(old), CountersOf(*process));
  SetCounters(CountersOf(old), process);
  const Breakdown before = old_processes_.breakdown(old);
  const Breakdown read = processes_.breakdown(*process);
  for (size_t i = 0; i < kBreakdown; ++i)
    is_short.breakdown[i] = before[i] - read[i];
  processes_.SetBreakdown(old.cells, before, process);
}

// As the counters. Sets grown_.
void Tracker::ContinueBreakdown(const Process& old, const Tracked& tracked,
                                Process* process) {
  bool as_read = !tracked.is_short && !(old.cells & ~process->cells);
  const uint64_t* before = old_processes_.counts(old);
  const uint64_t* now = processes_.counts(*process);
  if (as_read)
    ForEachCell(process->cells, [&](size_t cell) {
      const uint64_t count = *now++;
      const uint64_t was = old.cells & 1u << cell ? *before++ : 0;
      if (count > was) Grow(cell, count - was);
      as_read &= count >= was;
    });
  if (as_read) return;
  grown_cells_ = 0;
  Breakdown total = old_processes_.breakdown(old);
  const Breakdown read = processes_.breakdown(*process);
  uint32_t cells = 0;
  for (size_t i = 0; i < kBreakdown; ++i) {
    const uint64_t read_before =
        tracked.is_short ? total[i] - tracked.is_short->breakdown[i] : total[i];
    if (read[i] > read_before) Grow(i, read[i] - read_before);
    total[i] += Growth(read_before, read[i]);
    if (total[i]) cells |= 1u << i;
  }
  processes_.SetBreakdown(cells, total, process);
}

void Tracker::NoteChanges(const Process& old, const Process& process,
                          const Tracked& tracked) {
  const Counters& growth = tracked.growth;
  changes_.counters |= (growth.faults | growth.major | growth.stall_ns) != 0;
  changes_.rows |= old.live != process.live || tracked.renamed;
  changes_.vma |= old.vma_kb != process.vma_kb;
  changes_.rss |= old.rss_kb != process.rss_kb;
  changes_.rss_split |= old.rss_anon_kb != process.rss_anon_kb ||
                        old.rss_file_kb != process.rss_file_kb ||
                        old.rss_shmem_kb != process.rss_shmem_kb;
  changes_.swap |= old.swap_kb != process.swap_kb;
}

// Carries over what the process had, and finds its growth.
void Tracker::Continue(uint32_t old_index, uint32_t index) {
  const Process& old = old_processes_[old_index];
  Tracked& was = old_tracked_[old_index];
  Process& process = processes_[index];
  Tracked& tracked = tracked_[index];
  tracked.comm = was.comm;
  tracked.selected = was.selected;
  tracked.broken_down = was.broken_down;
  tracked.is_short = std::move(was.is_short);
  tracked.renamed = old_processes_.comm(old) != processes_.comm(process);
  if (new_epoch_)
    ContinueInNewEpoch(old, &tracked, &process);
  else
    ContinueInEpoch(old, &tracked, &process);
  tracked.recent =
      was.recent * 0.8f + static_cast<float>(tracked.growth.faults);
  NoteChanges(old, process, tracked);
  AddToComm(process, &tracked);
}

void Tracker::Meet(uint32_t index) {
  const Process& process = processes_[index];
  Tracked& tracked = tracked_[index];
  // /proc may have missed an old process for a tick.
  const bool may_be_old = new_epoch_ || source_ == "procfs";
  const bool counts =
      had_one_ ? !may_be_old || process.start_ns + kProcTickNs > last_ns_
               : count_first_;
  if (counts) {
    tracked.growth = CountersOf(process);
    const uint64_t* count = processes_.counts(process);
    ForEachCell(process.cells, [&](size_t cell) { Grow(cell, *count++); });
  }
  // What a process did before the first tick was not done of late.
  if (had_one_) tracked.recent = static_cast<float>(tracked.growth.faults);
  tracked.comm = kOther;
  tracked.renamed = true;
  changes_.rows = true;
  AddToComm(process, &tracked);
  if (!had_one_) tracked.growth = {};
}

uint32_t Tracker::ToOther(std::string_view comm) {
  const auto found = omitted_.find(comm);
  if (found != omitted_.end())
    found->second = tick_;
  else if (omitted_.size() < kMostOmitted)
    omitted_.emplace(comm, tick_);
  return kOther;
}

uint32_t Tracker::CommIndex(std::string_view comm) {
  const auto found = comm_index_.find(comm);
  if (found != comm_index_.end()) return found->second;
  uint32_t place = static_cast<uint32_t>(comms_.size());
  if (comms_.size() <= max_comms_) {
    comms_.emplace_back();
  } else {
    if (full_tick_ == tick_) return ToOther(comm);
    // Full: a place that nobody used for long is given away.
    const auto idle = std::find_if(
        comms_.begin() + 1, comms_.end(), [this](const auto& sums) {
          return sums.processes == 0 && sums.active_tick + kIdleTicks < tick_;
        });
    if (idle == comms_.end()) {
      full_tick_ = tick_;
      return ToOther(comm);
    }
    comm_index_.erase(idle->comm);
    *idle = CommSums();
    place = static_cast<uint32_t>(idle - comms_.begin());
  }
  comms_[place].comm = comm;
  comm_index_.emplace(comm, place);
  const auto omitted = omitted_.find(comm);
  if (omitted != omitted_.end()) omitted_.erase(omitted);
  return place;
}

void Tracker::AddToComm(const Process& process, Tracked* tracked) {
  if (tracked->renamed || tracked->comm == kOther)
    tracked->comm = CommIndex(processes_.comm(process));
  CommSums& sums = comms_[tracked->comm];
  sums.active_tick = tick_;
  if (process.live) {
    ++sums.processes;
    sums.vma_kb += process.vma_kb;
    sums.rss_kb += process.rss_kb;
  }
  const Counters& growth = tracked->growth;
  if (!growth.faults && !growth.stall_ns) return;
  Add(growth, &sums.counters);
  Add(growth, &sums.growth);
  if (!has_breakdown_) {
    sums.plain[0] += growth.minor;
    sums.plain[1] += growth.major;
    return;
  }
  ForEachCell(grown_cells_,
              [&](size_t cell) { sums.breakdown[cell] += grown_[cell]; });
}

// Rows of the last tick that are not there any more were retired with at least
// what they had then.
void Tracker::CountGone() {
  for (uint32_t i = 0; i < old_processes_.size(); ++i) {
    if (taken_[i]) continue;
    const Tracked& gone = old_tracked_[i];
    changes_.rows = true;
    changes_.selected_gone |= gone.selected;
    gone_faults_ += old_processes_[i].faults -
                    (gone.is_short ? gone.is_short->counters.faults : 0);
  }
}

void Tracker::UpdateUnattributed(const std::optional<ModuleStats>& module) {
  const auto number = [&module](ModuleNumber of) {
    return module ? (*module)[of].value_or(0) : 0;
  };
  const int64_t lost = number(ModuleNumber::kRetiredFaults) +
                       number(ModuleNumber::kOverflowFaults);
  if (new_epoch_) {
    unattributed_before_ = unattributed_;
    gone_faults_ = 0;
    unattributed_base_ = had_one_ || !count_first_ ? lost : 0;
  }
  const int64_t now =
      lost - unattributed_base_ - static_cast<int64_t>(gone_faults_);
  if (now > 0)
    unattributed_ = std::max(unattributed_,
                             unattributed_before_ + static_cast<uint64_t>(now));
}

void Tracker::UpdateHost(const Snapshot& snapshot) {
  // Another source has none of these: what the module counted stands still.
  if (!snapshot.module) return;
  // The same load may come back after another source had to stand in.
  if (epoch_ != host_epoch_) {
    host_before_ = host_;
    latency_before_ = latency_;
    host_epoch_ = epoch_;
  }
  for (size_t i = 0; i < host_.size(); ++i)
    if (snapshot.host[i])
      host_[i] = *snapshot.host[i] + host_before_[i].value_or(0);
  // A source that offers none leaves the last one standing.
  if (snapshot.latency.bounds_ns.empty()) return;
  latency_ = snapshot.latency;
  AddLatency(latency_before_, &latency_);
}

void Tracker::Begin(const Snapshot& snapshot) {
  ++tick_;
  had_one_ = tick_ > 1;
  new_epoch_ =
      !had_one_ || snapshot.source != source_ || snapshot.epoch != epoch_;
  source_ = snapshot.source;
  epoch_ = snapshot.epoch;
  this_ns_ = snapshot.read_ns;
  seconds_ = had_one_ ? static_cast<double>(this_ns_ - last_ns_) / 1e9 : 0;
  has_breakdown_ = snapshot.offered.breakdown;
  changes_ = Changes();
  changes_.all = new_epoch_;
  for (CommSums& sums : comms_) {
    sums.growth = {};
    sums.processes = sums.vma_kb = sums.rss_kb = 0;
  }
}

// Finds each row's own of the tick before.
void Tracker::Follow() {
  const auto size = static_cast<uint32_t>(processes_.size());
  Recycle(&tracked_);
  tracked_.resize(size);
  taken_.assign(old_processes_.size(), false);
  index_built_ = false;
  old_youngest_ns_ = std::exchange(youngest_ns_, 0);
  uint32_t hint = 0;
  for (uint32_t i = 0; i < size; ++i) {
    youngest_ns_ = std::max(youngest_ns_, processes_[i].start_ns);
    grown_cells_ = 0;
    const uint32_t old = FindOld(processes_[i], hint);
    if (old == IdentityIndex::kNone) {
      Meet(i);
      continue;
    }
    taken_[old] = true;
    hint = old + 1;
    Continue(old, i);
  }
}

void Tracker::Update(Snapshot* snapshot) {
  Begin(*snapshot);
  std::swap(old_processes_, processes_);
  std::swap(processes_, snapshot->processes);
  std::swap(old_tracked_, tracked_);
  Follow();
  CountGone();
  UpdateUnattributed(snapshot->module);
  UpdateHost(*snapshot);
  std::erase_if(omitted_, [this](const auto& item) {
    return item.second + kIdleTicks < tick_;
  });
  std::swap(old_processes_, snapshot->processes);
  last_ns_ = this_ns_;
}

}  // namespace pfe
