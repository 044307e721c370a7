// SPDX-License-Identifier: Apache-2.0
#include "selection.h"

#include <algorithm>
#include <tuple>

namespace pfe {
namespace {

// What a selected process has ahead of others.
constexpr double kIncumbent = 1.5;

std::unique_ptr<re2::RE2> Compile(const std::string& regex) {
  if (regex.empty()) return nullptr;
  return std::make_unique<re2::RE2>(regex, re2::RE2::Quiet);
}

std::tuple<double, double> Rank(const Tracked* tracked) {
  const double factor = tracked->selected ? kIncumbent : 1;
  return {tracked->recent * factor,
          static_cast<double>(tracked->process.rss_kb) * factor};
}

bool Ahead(const Tracked* a, const Tracked* b) {
  const auto rank_a = Rank(a), rank_b = Rank(b);
  return rank_a != rank_b ? rank_a > rank_b
                          : a->process.pid < b->process.pid;
}

bool ByPid(const Tracked* a, const Tracked* b) {
  return a->process.pid != b->process.pid
             ? a->process.pid < b->process.pid
             : a->process.start_ns > b->process.start_ns;
}

bool SamePid(const Tracked* a, const Tracked* b) {
  return a->process.pid == b->process.pid;
}

}  // namespace

Selection::Selection(const SelectionRules& rules)
    : rules_(rules),
      include_(Compile(rules.include)),
      exclude_(Compile(rules.exclude)) {}

bool Selection::Wanted(const Tracked& tracked) const {
  const std::string& comm = tracked.process.comm;
  return !rules_.no_pid && tracked.process.faults >= rules_.min_faults &&
         (!include_ || re2::RE2::FullMatch(comm, *include_)) &&
         (!exclude_ || !re2::RE2::FullMatch(comm, *exclude_));
}

std::vector<const Tracked*> Selection::Select(std::vector<Tracked>* processes) {
  std::vector<const Tracked*> selected;
  selected.reserve(processes->size());
  size_t live = 0;
  for (Tracked& tracked : *processes) {
    if (!tracked.process.live) continue;
    ++live;
    if (Wanted(tracked))
      selected.push_back(&tracked);
    else
      tracked.selected = false;
  }
  // Should two live rows have one pid, the one that started later wins: a
  // label set is never rendered twice.
  if (!std::is_sorted(selected.begin(), selected.end(), ByPid))
    std::sort(selected.begin(), selected.end(), ByPid);
  selected.erase(std::unique(selected.begin(), selected.end(), SamePid),
                 selected.end());
  if (selected.size() > rules_.max) {
    const auto end = selected.begin() + static_cast<ptrdiff_t>(rules_.max);
    std::nth_element(selected.begin(), end, selected.end(), Ahead);
    selected.erase(end, selected.end());
    std::sort(selected.begin(), selected.end(), ByPid);
  }
  for (Tracked& tracked : *processes) tracked.selected = false;
  for (const Tracked* tracked : selected)
    (*processes)[static_cast<size_t>(tracked - processes->data())].selected =
        true;
  omitted_ = live - selected.size();
  return selected;
}

std::vector<const Tracked*> Busiest(const std::vector<const Tracked*>& selected,
                                    size_t n) {
  std::vector<const Tracked*> busiest = selected;
  if (busiest.size() > n) {
    const auto end = busiest.begin() + static_cast<ptrdiff_t>(n);
    std::nth_element(busiest.begin(), end, busiest.end(),
                     [](const Tracked* a, const Tracked* b) {
                       return std::tuple(a->recent, a->process.faults) >
                              std::tuple(b->recent, b->process.faults);
                     });
    busiest.erase(end, busiest.end());
    std::sort(busiest.begin(), busiest.end(), ByPid);
  }
  return busiest;
}

std::string CheckRegex(const std::string& regex) {
  const re2::RE2 compiled(regex, re2::RE2::Quiet);
  return compiled.ok() ? "" : compiled.error();
}

}  // namespace pfe
