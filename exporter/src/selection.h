// SPDX-License-Identifier: Apache-2.0
// Which processes have series of their own.
#ifndef EXPORTER_SELECTION_H_
#define EXPORTER_SELECTION_H_

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tracker.h"

namespace pfe {

struct SelectionRules {
  size_t max = 5000;
  uint64_t min_faults = 0;
  std::string include;  // RE2 on the whole comm; empty takes all
  std::string exclude;  // empty takes none out
  bool no_pid = false;
};

class Selection {
 public:
  // The expressions must be valid: see CheckRegex().
  explicit Selection(const SelectionRules& rules);

  // Marks the processes selected, by recent faults and then RSS. One that is
  // selected stays so until another is ahead of it by half, so that series do
  // not flap. Returns them ordered by pid; live ones only, one a pid.
  std::vector<const Tracked*> Select(std::vector<Tracked>* processes);

  // Live processes that the last Select() left out.
  size_t omitted() const { return omitted_; }

 private:
  bool Wanted(const Tracked& tracked) const;

  SelectionRules rules_;
  std::unique_ptr<re2::RE2> include_;
  std::unique_ptr<re2::RE2> exclude_;
  size_t omitted_ = 0;
};

// The `n` with the most recent faults, in the order of `selected`.
std::vector<const Tracked*> Busiest(const std::vector<const Tracked*>& selected,
                                    size_t n);

// What is wrong with an expression, empty if nothing is.
std::string CheckRegex(const std::string& regex);

}  // namespace pfe

#endif  // EXPORTER_SELECTION_H_
