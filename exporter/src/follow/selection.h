// SPDX-License-Identifier: Apache-2.0
// Which processes have series of their own.
#ifndef EXPORTER_FOLLOW_SELECTION_H_
#define EXPORTER_FOLLOW_SELECTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "follow/tracker.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace pfe {

struct SelectionRules {
  size_t max = 5000;
  uint64_t min_faults = 0;
  std::string include{};  // RE2 on the whole comm; empty takes all
  std::string exclude{};  // empty takes none out
  bool no_pid = false;
  size_t breakdown = 50;  // processes with a breakdown of their own
};

class Selection {
 public:
  // The expressions must be valid: see CheckRegex().
  explicit Selection(const SelectionRules& rules);
  ~Selection();
  Selection(Selection&&) noexcept;
  Selection& operator=(Selection&&) noexcept;

  // Marks the processes selected, by recent faults and then RSS, and of them
  // those with a breakdown, by recent faults and then all faults. One that is
  // marked stays so until another is ahead of it by half, so that series do not
  // flap.
  void Select(Tracker* tracker);

  // Of the last Select(): indices of the tracker's processes, ordered by pid;
  // live ones only, one a pid.
  const std::vector<uint32_t>& selected() const { return selected_; }
  const std::vector<uint32_t>& broken_down() const { return broken_down_; }
  // Live processes that were left out.
  size_t omitted() const { return omitted_; }
  // Whether others were selected than the time before, or by other names.
  bool changed() const { return changed_; }
  bool broken_down_changed() const { return broken_down_changed_; }

 private:
  bool Wanted(const Process& process, std::string_view comm) const;
  void Collect(const Tracker& tracker);
  void SortByPid(const ProcessTable& processes);
  void CutToMax(const Tracker& tracker);
  void Mark(Tracker* tracker);
  void MarkBrokenDown(Tracker* tracker);

  SelectionRules rules_;
  std::unique_ptr<re2::RE2> include_;
  std::unique_ptr<re2::RE2> exclude_;
  std::vector<uint32_t> selected_;
  std::vector<uint32_t> broken_down_;
  size_t omitted_ = 0;
  bool sorted_ = true;  // selected_, by pid
  bool changed_ = false;
  bool broken_down_changed_ = false;
};

// What is wrong with an expression, empty if nothing is.
std::string CheckRegex(const std::string& regex);

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_SELECTION_H_
