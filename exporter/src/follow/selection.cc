// SPDX-License-Identifier: Apache-2.0
#include "follow/selection.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/recycle.h"
#include "follow/ranking.h"

namespace pfe {
namespace {

// What one that is marked has ahead of others.
constexpr double kIncumbent = 1.5;

std::unique_ptr<re2::RE2> Compile(const std::string& regex) {
  if (regex.empty()) return nullptr;
  return std::make_unique<re2::RE2>(regex, re2::RE2::Quiet);
}

bool Matches(std::string_view comm, const re2::RE2& regex) {
  return re2::RE2::FullMatch(re2::StringPiece(comm.data(), comm.size()), regex);
}

}  // namespace

Selection::Selection(const SelectionRules& rules)
    : rules_(rules),
      include_(Compile(rules.include)),
      exclude_(Compile(rules.exclude)) {}

Selection::~Selection() = default;
Selection::Selection(Selection&&) noexcept = default;
Selection& Selection::operator=(Selection&&) noexcept = default;

bool Selection::Wanted(const Process& process, std::string_view comm) const {
  return !rules_.no_pid && process.faults >= rules_.min_faults &&
         (!include_ || Matches(comm, *include_)) &&
         (!exclude_ || !Matches(comm, *exclude_));
}

void Selection::Collect(const Tracker& tracker) {
  const ProcessTable& processes = tracker.processes();
  Recycle(&selected_);
  omitted_ = 0;
  sorted_ = true;
  uint32_t last_pid = 0;
  for (uint32_t i = 0; i < processes.size(); ++i) {
    const Process& process = processes[i];
    if (!process.live) continue;
    if (!Wanted(process, processes.comm(process))) {
      ++omitted_;
      continue;
    }
    sorted_ &= process.pid > last_pid || selected_.empty();
    last_pid = process.pid;
    selected_.push_back(i);
  }
}

// Should two live rows have one pid, the one that started later wins: a label
// set is never rendered twice.
void Selection::SortByPid(const ProcessTable& processes) {
  if (sorted_) return;
  // Sorted by keys, not by looking at the rows again and again.
  std::vector<uint64_t> keys;
  keys.reserve(selected_.size());
  for (uint32_t i : selected_)
    keys.push_back(uint64_t{processes[i].pid} << 32 | i);
  std::sort(keys.begin(), keys.end());
  selected_.clear();
  uint64_t last_pid = UINT64_MAX;
  for (uint64_t key : keys) {
    const auto index = static_cast<uint32_t>(key);
    if (key >> 32 != last_pid) {
      selected_.push_back(index);
    } else {
      ++omitted_;
      if (processes[index].start_ns > processes[selected_.back()].start_ns)
        selected_.back() = index;
    }
    last_pid = key >> 32;
  }
  sorted_ = true;
}

void Selection::CutToMax(const Tracker& tracker) {
  if (selected_.size() <= rules_.max) return;
  const ProcessTable& processes = tracker.processes();
  FirstN first(rules_.max);
  for (uint32_t i : selected_) {
    const Tracked& tracked = tracker.tracked()[i];
    const double factor = tracked.selected ? kIncumbent : 1;
    first.Offer({tracked.recent * factor,
                 static_cast<double>(processes[i].rss_kb) * factor,
                 processes[i].pid, i});
  }
  omitted_ += selected_.size() - rules_.max;
  selected_.clear();
  for (const Rank& rank : first.Take()) selected_.push_back(rank.index);
  sorted_ = false;
}

void Selection::Mark(Tracker* tracker) {
  std::vector<Tracked>& tracked = tracker->tracked();
  changed_ = tracker->changes().all || tracker->changes().selected_gone;
  size_t before = 0;
  for (const Tracked& one : tracked) before += one.selected;
  // As many as before, and each was there before: the same ones.
  changed_ |= before != selected_.size();
  for (uint32_t i : selected_)
    changed_ |= !tracked[i].selected || tracked[i].renamed;
  if (!changed_) return;
  for (Tracked& one : tracked) one.selected = false;
  for (uint32_t i : selected_) tracked[i].selected = true;
}

void Selection::MarkBrokenDown(Tracker* tracker) {
  const ProcessTable& processes = tracker->processes();
  std::vector<Tracked>& tracked = tracker->tracked();
  FirstN first(rules_.breakdown);
  size_t before = 0;
  for (uint32_t i : selected_) {
    const double factor = tracked[i].broken_down ? kIncumbent : 1;
    before += tracked[i].broken_down;
    first.Offer({tracked[i].recent * factor,
                 static_cast<double>(processes[i].faults) * factor,
                 processes[i].pid, i});
  }
  std::vector<Rank> ranks = first.Take();
  std::sort(ranks.begin(), ranks.end(),
            [](const Rank& a, const Rank& b) { return a.pid < b.pid; });
  broken_down_changed_ = changed_ || before != ranks.size();
  broken_down_.clear();
  for (const Rank& rank : ranks) {
    broken_down_.push_back(rank.index);
    broken_down_changed_ |= !tracked[rank.index].broken_down;
  }
  if (!broken_down_changed_) return;
  for (Tracked& one : tracked) one.broken_down = false;
  for (uint32_t i : broken_down_) tracked[i].broken_down = true;
}

void Selection::Select(Tracker* tracker) {
  Collect(*tracker);
  SortByPid(tracker->processes());
  CutToMax(*tracker);
  SortByPid(tracker->processes());
  Mark(tracker);
  MarkBrokenDown(tracker);
}

std::string CheckRegex(const std::string& regex) {
  const re2::RE2 compiled(regex, re2::RE2::Quiet);
  return compiled.ok() ? "" : compiled.error();
}

}  // namespace pfe
