// SPDX-License-Identifier: Apache-2.0
// Sums of sampled faults by labels, mapping and call path, before their
// functions have names.
#ifndef EXPORTER_PROFILE_STACKS_H_
#define EXPORTER_PROFILE_STACKS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "profile/functions.h"
#include "profile/profile.h"
#include "profile/record.h"

namespace pfe {

// A frame of a call path: an instruction in a file, or in memory.
struct Frame {
  CodeFile* file = nullptr;           // null if there is none to read
  const std::string* name = nullptr;  // of the mapping; null if there is none
  uint64_t offset = 0;                // in the mapped file or memory

  bool operator<(const Frame& other) const {
    return std::tie(file, name, offset) <
           std::tie(other.file, other.name, other.offset);
  }
};

// What samples are told apart by, besides mapping and call path.
struct StackLabels {
  const std::string* comm = nullptr;
  uint64_t cgroup = 0;
  size_t severity = 0, access = 0, kind = 0;

  bool operator<(const StackLabels& other) const {
    return std::tie(comm, cgroup, severity, access, kind) <
           std::tie(other.comm, other.cgroup, other.severity, other.access,
                    other.kind);
  }
};

class Stacks {
 public:
  struct Key {
    StackLabels labels;
    const std::string* mapping = nullptr;
    std::vector<Frame> frames;  // the innermost is the first

    bool operator<(const Key& other) const {
      return std::tie(labels, mapping, frames) <
             std::tie(other.labels, other.mapping, other.frames);
    }
  };

  // Frames that are kept. Samples of further stacks are summed without their
  // mappings and frames.
  static constexpr size_t kMostFrames = 100'000;
  // Of the names of mappings and comms.
  static constexpr size_t kMostTextBytes = 32 << 20;
  static constexpr const char* kOther = "[more than can be told apart]";

  bool is_full() const { return frames_ >= kMostFrames; }
  // Adds a sample. `mapping` names what the address is in.
  void Add(const FaultSample& sample, const StackLabels& labels,
           const std::string& mapping, std::vector<Frame> frames);
  // A copy of a text that stays as long as this, for Frame::name and
  // StackLabels::comm. If there are too many it is kOther.
  const std::string* Keep(const std::string& text);

  const std::map<Key, FaultSum>& sums() const { return sums_; }
  // Names all frames. What is not named before `is_over` returns true has the
  // name of its file and the offset; then `*is_cut` is set.
  std::map<Frame, std::string> NameFrames(Functions* functions,
                                          const std::function<bool()>& is_over,
                                          bool* is_cut) const;

 private:
  std::set<std::string> texts_;
  size_t text_bytes_ = 0;
  std::map<Key, FaultSum> sums_;
  size_t frames_ = 0;
};

// The names of the functions of a stack, the innermost first; one at least.
std::vector<std::string> PathOf(const Stacks::Key& stack,
                                const std::map<Frame, std::string>& names);

}  // namespace pfe

#endif  // EXPORTER_PROFILE_STACKS_H_
