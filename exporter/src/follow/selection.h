// SPDX-License-Identifier: Apache-2.0
// Chooses the processes that have series of their own.
#ifndef EXPORTER_FOLLOW_SELECTION_H_
#define EXPORTER_FOLLOW_SELECTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/process_table.h"
#include "follow/rows.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace pfe {

struct SelectionRules {
  size_t max = 5000;
  uint64_t min_faults = 0;
  std::string include{};  // RE2 that must match the whole comm; empty: all
  std::string exclude{};  // likewise; empty: none is excluded
  bool no_pid = false;
  size_t breakdown = 50;  // processes with a breakdown of their own
};

// Selects processes again each tick. A selected process keeps its place until
// another one ranks 1.5 times as high, so that series do not come and go.
class Selection {
 public:
  // The expressions must be valid: see CheckRegex().
  explicit Selection(const SelectionRules& rules);
  ~Selection();

  void SetRules(const SelectionRules& rules);

  // Selects at most `max` of the live processes: those with the largest
  // RowState::recent, and among equals those with the most resident memory. Of
  // these, `breakdown` get series by breakdown: those with the largest
  // RowState::recent, and among equals those with the most faults. `states` has
  // one element for each row; `other_source` says whether the source changed.
  // If this function throws, the selection of the tick before stays.
  void Select(const ProcessTable& processes,
              const std::vector<RowState>& states, bool other_source);

  // Of the last Select(): indices of processes, ordered by pid; each pid occurs
  // once.
  const std::vector<uint32_t>& selected() const { return last_.selected; }
  const std::vector<uint32_t>& broken_down() const { return last_.broken_down; }
  // Live processes that were left out.
  size_t omitted() const { return last_.omitted; }
  // Whether the processes or their names differ from the tick before.
  bool changed() const { return last_.changed; }
  bool broken_down_changed() const { return last_.broken_down_changed; }

 private:
  struct Choice {
    std::vector<uint32_t> selected;
    std::vector<uint32_t> broken_down;
    std::vector<uint8_t> marks;  // by row: kSelected, kBrokenDown
    size_t omitted = 0;
    bool changed = false;
    bool broken_down_changed = false;
  };
  static constexpr uint8_t kSelected = 1, kBrokenDown = 2;

  bool Wanted(const Process& process, std::string_view comm) const;
  void Collect(const ProcessTable& processes);
  void SortByPid(const ProcessTable& processes);
  void CutToMax(const ProcessTable& processes,
                const std::vector<RowState>& states);
  void Mark(const std::vector<RowState>& states, bool other_source);
  void SelectBrokenDown(const ProcessTable& processes,
                        const std::vector<RowState>& states);
  // Whether a row had this mark in the tick before.
  bool Had(const RowState& state, uint8_t mark) const {
    return state.previous != kNoRow && (last_.marks[state.previous] & mark);
  }

  SelectionRules rules_;
  std::unique_ptr<re2::RE2> include_;
  std::unique_ptr<re2::RE2> exclude_;
  Choice last_, next_;
  bool sorted_ = true;  // whether next_.selected is ordered by pid
};

// Returns what is wrong with an expression, or an empty text.
std::string CheckRegex(const std::string& regex);

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_SELECTION_H_
