// SPDX-License-Identifier: Apache-2.0
#include "tracker.h"

#include <algorithm>
#include <utility>

#include "page_faults.h"

namespace pfe {
namespace {

// How exactly /proc tells a start: one clock tick (proc(5), USER_HZ).
constexpr uint64_t kProcTickNs = 10000000;
// A comm without processes keeps its place that many ticks, if it is wanted.
constexpr uint64_t kIdleTicks = 120;
// Names remembered to be counted as left out: any user can make up more.
constexpr size_t kMostOmitted = 100000;

// What a monotonic counter has grown by; one that fell was born anew.
uint64_t Growth(uint64_t before, uint64_t now) {
  return now >= before ? now - before : 0;
}

Counters CountersOf(const Process& process) {
  return {process.faults, process.minor, process.major, process.stall_ns};
}

Counters GrowthOf(const Counters& before, const Counters& now) {
  return {Growth(before.faults, now.faults), Growth(before.minor, now.minor),
          Growth(before.major, now.major),
          Growth(before.stall_ns, now.stall_ns)};
}

Counters Larger(const Counters& a, const Counters& b) {
  return {std::max(a.faults, b.faults), std::max(a.minor, b.minor),
          std::max(a.major, b.major), std::max(a.stall_ns, b.stall_ns)};
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

int64_t NumberOr0(const Stats& stats, const char* key) {
  const auto found = stats.numbers.find(key);
  return found == stats.numbers.end() ? 0 : found->second;
}

bool IsHostCounter(const std::string& key) {
  return key == PF_COL_RETRIED || key == PF_COL_SIGBUS ||
         key == PF_COL_SIGSEGV || key == PF_COL_OOM || key == PF_COL_HWPOISON;
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
Tracker::Identity Tracker::IdentityOf(const Process& process) const {
  return {process.pid,
          new_epoch_ ? process.start_ns / kProcTickNs : process.start_ns};
}

void Tracker::BuildIndex() {
  if (index_built_) return;
  index_built_ = true;
  index_.clear();
  index_.reserve(old_.size());
  for (uint32_t i = 0; i < old_.size(); ++i)
    index_[IdentityOf(old_[i].process)] = i;
}

// Rows mostly come in the order of the last tick: `hint` is where it should be.
Tracked* Tracker::FindOld(const Process& process, size_t hint) {
  const Identity wanted = IdentityOf(process);
  for (size_t i = hint; i < std::min(hint + 2, old_.size()); ++i)
    if (!taken_[i] && IdentityOf(old_[i].process) == wanted) {
      taken_[i] = true;
      return &old_[i];
    }
  BuildIndex();
  const auto found = index_.find(wanted);
  if (found == index_.end() || taken_[found->second]) return nullptr;
  taken_[found->second] = true;
  return &old_[found->second];
}

// As the counters: by growth only in a new epoch, and standing still while the
// source has no breakdown.
void Tracker::ContinueBreakdown(Tracked* old, Tracked* next,
                                Breakdown* growth) {
  Breakdown& cells = next->process.breakdown;
  const Breakdown& before = old->process.breakdown;
  if (!has_breakdown_) {
    cells = before;
    return;
  }
  if (new_epoch_) {
    next->breakdown_before = std::make_unique<Breakdown>();
    for (size_t i = 0; i < kBreakdown; ++i)
      (*next->breakdown_before)[i] = before[i] - cells[i];
  }
  for (size_t i = 0; i < kBreakdown; ++i) {
    if (next->breakdown_before) cells[i] += (*next->breakdown_before)[i];
    (*growth)[i] = Growth(before[i], cells[i]);
  }
}

// Carries over what the process had, and finds its growth.
void Tracker::Continue(Tracked* old, Tracked* next) {
  next->comm = old->comm;
  next->selected = old->selected;
  next->cgroup = std::move(old->cgroup);
  next->cgroup_read = old->cgroup_read;
  next->breakdown_before = std::move(old->breakdown_before);
  if (!new_epoch_) {
    next->growth = GrowthOf(old->read, next->read);
    // What fell comes back without being counted again.
    next->read = Larger(old->read, next->read);
  }
  Counters total = CountersOf(old->process);
  Add(next->growth, &total);
  SetCounters(total, &next->process);
  Breakdown growth{};
  ContinueBreakdown(old, next, &growth);
  next->recent = old->recent * 0.8 + static_cast<double>(next->growth.faults);
  AddToComm(next, growth);
}

void Tracker::Meet(Tracked* next) {
  // /proc may have missed an old process for a tick.
  const bool may_be_old = new_epoch_ || source_ == "procfs";
  const bool counts =
      had_one_ ? !may_be_old || next->process.start_ns + kProcTickNs > last_ns_
               : count_first_;
  if (counts) next->growth = next->read;
  // What a process did before the first tick was not done of late.
  next->recent =
      had_one_ || tick_ > 1 ? static_cast<double>(next->growth.faults) : 0;
  next->comm = kOther;
  AddToComm(next, counts ? next->process.breakdown : Breakdown{});
  if (tick_ == 1) next->growth = {};
}

uint32_t Tracker::CommIndex(const std::string& comm) {
  const auto found = comm_index_.find(comm);
  if (found != comm_index_.end()) return found->second;
  if (comms_.size() > max_comms_) {
    if (full_tick_ == tick_) {
      if (omitted_.size() < kMostOmitted) omitted_[comm] = tick_;
      return kOther;
    }
    // Full: a place that nobody used for long is given away.
    const auto idle =
        std::find_if(comms_.begin() + 1, comms_.end(), [this](const auto& sums) {
          return sums.processes == 0 && sums.active_tick + kIdleTicks < tick_;
        });
    if (idle == comms_.end()) {
      full_tick_ = tick_;
      if (omitted_.size() < kMostOmitted) omitted_[comm] = tick_;
      return kOther;
    }
    comm_index_.erase(idle->comm);
    *idle = CommSums();
    idle->comm = comm;
    return comm_index_[comm] = static_cast<uint32_t>(idle - comms_.begin());
  }
  comms_.emplace_back().comm = comm;
  return comm_index_[comm] = static_cast<uint32_t>(comms_.size() - 1);
}

void Tracker::AddToComm(Tracked* tracked, const Breakdown& breakdown_growth) {
  if (tracked->comm == kOther ||
      comms_[tracked->comm].comm != tracked->process.comm)
    tracked->comm = CommIndex(tracked->process.comm);
  CommSums& sums = comms_[tracked->comm];
  AddGauges(*tracked);
  sums.active_tick = tick_;
  const Counters& growth = tracked->growth;
  if (!growth.faults && !growth.stall_ns) return;
  Add(growth, &sums.counters);
  Add(growth, &sums.growth);
  if (!has_breakdown_) {
    sums.plain[0] += growth.minor;
    sums.plain[1] += growth.major;
    return;
  }
  for (size_t i = 0; i < kBreakdown; ++i)
    sums.breakdown[i] += breakdown_growth[i];
}

void Tracker::AddGauges(const Tracked& tracked) {
  if (!tracked.process.live) return;
  CommSums& sums = comms_[tracked.comm];
  ++sums.processes;
  sums.vma_kb += tracked.process.vma_kb;
  sums.rss_kb += tracked.process.rss_kb;
}

// Rows of the last tick that are not there any more were retired with at least
// what they had then.
void Tracker::CountGone() {
  for (size_t i = 0; i < old_.size(); ++i)
    if (!taken_[i]) gone_faults_ += old_[i].read.faults;
}

void Tracker::UpdateUnattributed(const Stats& stats) {
  const int64_t lost = NumberOr0(stats, PF_KEY_RETIRED_PREFIX PF_COL_FAULTS) +
                       NumberOr0(stats, PF_KEY_OVERFLOW_PREFIX PF_COL_FAULTS);
  if (new_epoch_) {
    unattributed_before_ = unattributed_;
    gone_faults_ = 0;
    unattributed_base_ = had_one_ || !count_first_ ? lost : 0;
  }
  const int64_t now =
      lost - unattributed_base_ - static_cast<int64_t>(gone_faults_);
  if (now > 0)
    unattributed_ =
        std::max(unattributed_, unattributed_before_ + static_cast<uint64_t>(now));
}

void Tracker::UpdateHost(Stats stats, Latency latency) {
  Stats counters;
  for (const auto& [key, number] : host_.numbers)
    if (IsHostCounter(key)) counters.numbers[key] = number;
  if (stats.numbers.empty()) {
    // Not the module's: what it counted stands still.
    host_ = std::move(counters);
    return;
  }
  // The same load may come back after another source had to stand in.
  if (epoch_ != host_epoch_) {
    host_before_ = std::move(counters);
    latency_before_ = latency_;
    host_epoch_ = epoch_;
  }
  host_ = std::move(stats);
  for (const auto& [key, number] : host_before_.numbers)
    host_.numbers[key] += number;
  AddLatency(latency_before_, &latency);
  // A source that offers none leaves the last one standing.
  if (!latency.bounds_ns.empty()) latency_ = std::move(latency);
}

void Tracker::Update(Snapshot* snapshot) {
  ++tick_;
  new_epoch_ = tick_ == 1 || snapshot->source != source_ ||
               snapshot->epoch != epoch_;
  had_one_ = tick_ > 1;
  source_ = snapshot->source;
  epoch_ = snapshot->epoch;
  this_ns_ = snapshot->read_ns;
  seconds_ = had_one_ ? static_cast<double>(this_ns_ - last_ns_) / 1e9 : 0;
  has_breakdown_ = snapshot->offered.breakdown;
  for (CommSums& sums : comms_) {
    sums.growth = {};
    sums.processes = sums.vma_kb = sums.rss_kb = 0;
  }
  old_.swap(processes_);
  processes_.clear();
  processes_.reserve(snapshot->processes.size());
  taken_.assign(old_.size(), false);
  index_built_ = false;
  size_t hint = 0;
  for (Process& process : snapshot->processes) {
    Tracked& next = processes_.emplace_back();
    next.read = CountersOf(process);
    next.process = std::move(process);
    if (Tracked* old = FindOld(next.process, hint)) {
      hint = static_cast<size_t>(old - old_.data()) + 1;
      Continue(old, &next);
    } else {
      Meet(&next);
    }
  }
  if (!new_epoch_) CountGone();
  UpdateUnattributed(snapshot->stats);
  UpdateHost(std::move(snapshot->stats), std::move(snapshot->latency));
  std::erase_if(omitted_, [this](const auto& item) {
    return item.second + kIdleTicks < tick_;
  });
  old_.clear();
  last_ns_ = this_ns_;
}

}  // namespace pfe
