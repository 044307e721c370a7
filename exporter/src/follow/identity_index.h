// SPDX-License-Identifier: Apache-2.0
// A hash index over the identities of a table's rows.
#ifndef EXPORTER_FOLLOW_IDENTITY_INDEX_H_
#define EXPORTER_FOLLOW_IDENTITY_INDEX_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/refill.h"

namespace pfe {

// The kernel reuses pids, so a pid alone does not identify a process.
struct Identity {
  uint32_t pid;
  uint64_t start;
  bool operator==(const Identity&) const = default;
};

// An open-addressed hash table of row numbers. A slot takes four bytes, and a
// row needs no allocation, so that a tick can build a new index cheaply.
class IdentityIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // `of(i)` is the identity at i, for i < n < 2^31.
  template <typename Of>
  void Build(size_t n, Of of) {
    mask_ = std::bit_ceil(2 * n + 2) - 1;
    ClearForRefill(&places_);
    places_.assign(mask_ + 1, kNone);
    for (uint32_t i = 0; i < n; ++i) {
      const Identity identity = of(i);
      size_t place = Hash(identity) & mask_;
      // No source gives one identity twice; if it did, the first row would be
      // kept.
      while (places_[place] != kNone && of(places_[place]) != identity)
        place = (place + 1) & mask_;
      if (places_[place] == kNone) places_[place] = i;
    }
  }

  template <typename Of>
  uint32_t Find(const Identity& wanted, Of of) const {
    size_t place = Hash(wanted) & mask_;
    for (; places_[place] != kNone; place = (place + 1) & mask_)
      if (of(places_[place]) == wanted) return places_[place];
    return kNone;
  }

 private:
  static size_t Hash(const Identity& id) {
    const uint64_t mixed =
        (id.pid * 0x9e3779b97f4a7c15u) ^ (id.start * 0xff51afd7ed558ccdu);
    return mixed ^ mixed >> 32;
  }

  size_t mask_ = 0;
  std::vector<uint32_t> places_;
};

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_IDENTITY_INDEX_H_
