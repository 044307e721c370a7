// SPDX-License-Identifier: Apache-2.0
// Finds each process of a tick among the rows of the tick before.
#ifndef EXPORTER_FOLLOW_IDENTITY_MATCHER_H_
#define EXPORTER_FOLLOW_IDENTITY_MATCHER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "follow/identity_index.h"
#include "follow/rows.h"

namespace pfe {

// A process is (pid, start time), because the kernel reuses pids. Sources list
// processes in about the same order every tick, so a row is first looked for
// at the position that follows the one found last. If a row is not near that
// position, it is searched in a hash index over all old rows. The index is
// built at its first use in a tick.
class IdentityMatcher {
 public:
  // Starts a tick. `old` must not change until the next Begin(). Two sources
  // give the same start with different precision: with `exact_starts` false,
  // starts are equal if they lie in the same clock tick of /proc.
  void Begin(const Rows& old, bool exact_starts);

  // The index among the old rows, or kNoRow. Each old row is found only once.
  uint32_t Find(const Process& process);
  // The pid of a process that Find() was asked for again after it had found it;
  // nothing without exact starts, by which two processes can be equal.
  const std::optional<uint32_t>& pid_again() const { return pid_again_; }

  // Calls `gone` with the index of each old row that was not found.
  template <typename Gone>
  void ForEachGone(Gone gone) const {
    for (uint32_t i = 0; i < found_.size(); ++i)
      if (!found_[i]) gone(i);
  }

 private:
  Identity IdentityOf(const Process& process) const;
  uint32_t Search(const Process& process);

  const Rows* old_ = nullptr;
  bool exact_starts_ = true;
  uint32_t next_ = 0;  // where the next row is expected
  std::vector<bool> found_;
  IdentityIndex index_;
  bool index_built_ = false;
  std::optional<uint32_t> pid_again_;
};

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_IDENTITY_MATCHER_H_
