// SPDX-License-Identifier: Apache-2.0
// Stacks with labels and whole numbers, for pprof.
#ifndef EXPORTER_PROFILE_LABELLED_PROFILE_H_
#define EXPORTER_PROFILE_LABELLED_PROFILE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "profile/counter_growth.h"
#include "profile/functions.h"
#include "profile/stacks.h"

namespace pfe {

struct LabelledProfile {
  struct File {
    std::string name;
    std::string build_id;  // bytes; empty if it is not known
  };
  struct Frame {
    size_t file = 0;      // index; kNoFile if there is none
    uint64_t offset = 0;  // in the file
    std::string function;
  };
  struct Stack {
    std::string comm;
    std::string mapping;
    uint64_t cgroup = 0;  // id; 0 if it is not known
    size_t severity = 0;  // as in FaultSample
    size_t access = kAccesses;
    size_t kind = kKinds;
    std::vector<size_t> frames;  // indexes; the innermost is the first
    int64_t faults = 0;
    int64_t stall_ns = 0;
  };

  static constexpr size_t kNoFile = SIZE_MAX;
  static constexpr const char* kNotSampled = "[not sampled]";

  std::vector<File> files;
  std::vector<Frame> frames;
  std::vector<Stack> stacks;
  std::map<uint64_t, std::string> cgroups;  // paths of those that are known
};

// As they were sampled. The labels of `stacks` have comm and severity.
LabelledProfile Label(const Stacks& stacks,
                      const std::map<Frame, std::string>& names,
                      const Functions& functions);

// Multiplies the faults so that those of each comm, severity and kind are as
// many as they grew by, and the stall of each comm is. Numbers are rounded so
// that the sums are exact. What has no sample becomes a stack of kNotSampled.
void ScaleTo(const CounterGrowth& growth, LabelledProfile* profile);

}  // namespace pfe

#endif  // EXPORTER_PROFILE_LABELLED_PROFILE_H_
