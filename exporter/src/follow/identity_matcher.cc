// SPDX-License-Identifier: Apache-2.0
#include "follow/identity_matcher.h"

#include <algorithm>

#include "base/clock.h"

namespace pfe {
namespace {

// How many old rows are compared before the index is searched.
constexpr uint32_t kLookahead = 8;

}  // namespace

void IdentityMatcher::Begin(const Rows& old, bool exact_starts) {
  old_ = &old;
  exact_starts_ = exact_starts;
  next_ = 0;
  found_.assign(old.processes.size(), false);
  index_built_ = false;
  pid_again_.reset();
}

Identity IdentityMatcher::IdentityOf(const Process& process) const {
  return {process.pid,
          exact_starts_ ? process.start_ns : process.start_ns / kProcTickNs};
}

uint32_t IdentityMatcher::Search(const Process& process) {
  const Identity wanted = IdentityOf(process);
  const ProcessTable& old = old_->processes;
  const auto of = [this, &old](uint32_t i) { return IdentityOf(old[i]); };
  const auto size = static_cast<uint32_t>(old.size());
  for (uint32_t i = next_; i < std::min(next_ + kLookahead, size); ++i)
    if (of(i) == wanted && !found_[i]) return i;
  // A process that started after all old rows did is a new one.
  if (exact_starts_ && process.start_ns > old_->youngest_ns) return kNoRow;
  if (!index_built_) index_.Build(size, of);
  index_built_ = true;
  const uint32_t found = index_.Find(wanted, of);
  if (found == IdentityIndex::kNone) return kNoRow;
  if (!found_[found]) return found;
  if (exact_starts_) pid_again_ = process.pid;
  return kNoRow;
}

uint32_t IdentityMatcher::Find(const Process& process) {
  const uint32_t found = Search(process);
  if (found == kNoRow) return kNoRow;
  found_[found] = true;
  next_ = found + 1;
  return found;
}

}  // namespace pfe
