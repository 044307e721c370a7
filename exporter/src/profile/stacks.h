// SPDX-License-Identifier: Apache-2.0
// Sums of sampled faults by mapping and call path, before their functions have
// names.
#ifndef EXPORTER_PROFILE_STACKS_H_
#define EXPORTER_PROFILE_STACKS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "profile/functions.h"
#include "profile/profile.h"
#include "profile/record.h"

namespace pfe {

// A frame of a call path: an instruction in a file, or in memory.
struct Frame {
  CodeFile* file = nullptr;           // null if there is none to read
  const std::string* name = nullptr;  // of the mapping; null if there is none
  uint64_t offset = 0;                // in the mapped file, else the address

  bool operator<(const Frame& other) const {
    return std::tie(file, name, offset) <
           std::tie(other.file, other.name, other.offset);
  }
};

class Stacks {
 public:
  // Frames that are kept. Samples of further stacks are summed without their
  // mappings and frames.
  static constexpr size_t kMostFrames = 500'000;
  // Of the names of mappings.
  static constexpr size_t kMostTextBytes = 32 << 20;
  static constexpr const char* kOther = "[more than can be told apart]";

  bool is_full() const { return frames_ >= kMostFrames; }
  // `mapping` names what the address is in; the innermost frame is the first.
  void Add(const FaultSample& sample, const std::string& mapping,
           std::vector<Frame> frames);
  // A copy of a text that stays as long as this, for Frame::name. If there are
  // too many it is kOther.
  const std::string* Keep(const std::string& text);

  // The sums with the names of functions. What is not named before `is_over`
  // returns true has the name of its file and the offset; then `*is_cut` is
  // set.
  Profile Named(Functions* functions, const std::function<bool()>& is_over,
                bool* is_cut) const;

 private:
  using Key = std::pair<const std::string*, std::vector<Frame>>;

  std::set<std::string> texts_;
  size_t text_bytes_ = 0;
  std::map<Key, FaultSum> sums_;
  size_t frames_ = 0;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_STACKS_H_
