// SPDX-License-Identifier: Apache-2.0
// Finds the callers of a function in a copy of its stack.
#ifndef EXPORTER_PROFILE_UNWINDER_H_
#define EXPORTER_PROFILE_UNWINDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "profile/address_spaces.h"
#include "profile/call_frames.h"
#include "profile/functions.h"
#include "profile/record.h"

namespace pfe {

// By what compilers tell debuggers and exceptions of each function, so that a
// program needs no frame pointers.
//
// For one thread.
class Unwinder {
 public:
  using IsOver = std::function<bool()>;

  static constexpr size_t kMostFrames = 64;
  // Copies of all files together.
  static constexpr uint64_t kMostBytes = 256 << 20;

  // Both must live longer.
  Unwinder(AddressSpaces* spaces, Functions* functions)
      : spaces_(spaces), functions_(functions) {}

  // The instructions of a sample, as FaultSample::frames: those that are found
  // on the stack, or those of the frame pointers if that are more and the stack
  // was not followed to its end. Ends when `is_over` returns true.
  std::vector<uint64_t> CallPath(const FaultSample& sample,
                                 const IsOver& is_over);
  // How many stacks were not followed to their ends, because it was over.
  uint64_t cut() const { return cut_; }
  // What files have, in the process that a sample is of; null if there is
  // nothing to use. `*bias` is how much higher than in the file an address is.
  const CallFrames* Find(const FaultSample& sample, uint64_t address,
                         uint64_t* bias);

 private:
  AddressSpaces* const spaces_;
  Functions* const functions_;
  uint64_t bytes_left_ = kMostBytes;
  // Null if there is nothing to use.
  std::map<const CodeFile*, std::unique_ptr<const CallFrames>> files_;
  uint64_t cut_ = 0;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_UNWINDER_H_
