// SPDX-License-Identifier: Apache-2.0
#include "follow/selection.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "base/refill.h"
#include "follow/ranking.h"

namespace pfe {
namespace {

// The ranks of a process that was selected are multiplied by this.
constexpr double kIncumbent = 1.5;

std::unique_ptr<re2::RE2> Compile(const std::string& regex) {
  if (regex.empty()) return nullptr;
  return std::make_unique<re2::RE2>(regex, re2::RE2::Quiet);
}

bool Matches(std::string_view comm, const re2::RE2& regex) {
  return re2::RE2::FullMatch(re2::StringPiece(comm.data(), comm.size()), regex);
}

}  // namespace

Selection::Selection(const SelectionRules& rules) { SetRules(rules); }

Selection::~Selection() = default;

void Selection::SetRules(const SelectionRules& rules) {
  rules_ = rules;
  include_ = Compile(rules.include);
  exclude_ = Compile(rules.exclude);
}

bool Selection::Wanted(const Process& process, std::string_view comm) const {
  return !rules_.no_pid && process.faults >= rules_.min_faults &&
         (!include_ || Matches(comm, *include_)) &&
         (!exclude_ || !Matches(comm, *exclude_));
}

void Selection::Collect(const ProcessTable& processes) {
  ClearForRefill(&next_.selected);
  next_.omitted = 0;
  sorted_ = true;
  uint32_t last_pid = 0;
  for (uint32_t i = 0; i < processes.size(); ++i) {
    const Process& process = processes[i];
    if (!process.live) continue;
    if (!Wanted(process, processes.comm(process))) {
      ++next_.omitted;
      continue;
    }
    sorted_ &= process.pid > last_pid || next_.selected.empty();
    last_pid = process.pid;
    next_.selected.push_back(i);
  }
}

// If two live rows have one pid, the one that started later is kept, so that no
// label set is exported twice.
void Selection::SortByPid(const ProcessTable& processes) {
  if (sorted_) return;
  // Keys are sorted, because looking the pids up in the rows at each comparison
  // takes longer.
  std::vector<uint64_t> keys;
  keys.reserve(next_.selected.size());
  for (uint32_t i : next_.selected)
    keys.push_back(uint64_t{processes[i].pid} << 32 | i);
  std::sort(keys.begin(), keys.end());
  next_.selected.clear();
  uint64_t last_pid = UINT64_MAX;
  for (uint64_t key : keys) {
    const auto index = static_cast<uint32_t>(key);
    if (key >> 32 != last_pid) {
      next_.selected.push_back(index);
    } else {
      ++next_.omitted;
      if (processes[index].start_ns > processes[next_.selected.back()].start_ns)
        next_.selected.back() = index;
    }
    last_pid = key >> 32;
  }
  sorted_ = true;
}

void Selection::CutToMax(const ProcessTable& processes,
                         const std::vector<RowState>& states) {
  if (next_.selected.size() <= rules_.max) return;
  FirstN first(rules_.max);
  for (uint32_t i : next_.selected) {
    const double factor = Had(states[i], kSelected) ? kIncumbent : 1;
    first.Offer({states[i].recent * factor,
                 static_cast<double>(processes[i].rss_kb) * factor,
                 processes[i].pid, i});
  }
  next_.omitted += next_.selected.size() - rules_.max;
  next_.selected.clear();
  for (const Rank& rank : first.Take()) next_.selected.push_back(rank.index);
  sorted_ = false;
}

void Selection::Mark(const std::vector<RowState>& states, bool other_source) {
  // The selection is the same if it has as many processes as before and each of
  // them was selected before.
  next_.changed =
      other_source || last_.selected.size() != next_.selected.size();
  next_.marks.assign(states.size(), 0);
  for (uint32_t i : next_.selected) {
    next_.marks[i] = kSelected;
    next_.changed |= !Had(states[i], kSelected) || states[i].renamed;
  }
}

void Selection::SelectBrokenDown(const ProcessTable& processes,
                                 const std::vector<RowState>& states) {
  FirstN first(rules_.breakdown);
  for (uint32_t i : next_.selected) {
    const double factor = Had(states[i], kBrokenDown) ? kIncumbent : 1;
    first.Offer({states[i].recent * factor,
                 static_cast<double>(processes[i].faults) * factor,
                 processes[i].pid, i});
  }
  std::vector<Rank> ranks = first.Take();
  std::sort(ranks.begin(), ranks.end(),
            [](const Rank& a, const Rank& b) { return a.pid < b.pid; });
  next_.broken_down_changed =
      next_.changed || last_.broken_down.size() != ranks.size();
  next_.broken_down.clear();
  for (const Rank& rank : ranks) {
    next_.broken_down.push_back(rank.index);
    next_.marks[rank.index] |= kBrokenDown;
    next_.broken_down_changed |= !Had(states[rank.index], kBrokenDown);
  }
}

void Selection::Select(const ProcessTable& processes,
                       const std::vector<RowState>& states, bool other_source) {
  Collect(processes);
  SortByPid(processes);
  CutToMax(processes, states);
  SortByPid(processes);
  Mark(states, other_source);
  SelectBrokenDown(processes, states);
  std::swap(last_, next_);
}

std::string CheckRegex(const std::string& regex) {
  const re2::RE2 compiled(regex, re2::RE2::Quiet);
  return compiled.ok() ? "" : compiled.error();
}

}  // namespace pfe
