// SPDX-License-Identifier: Apache-2.0
// Sums of faults by what was mapped where the faults were.
#ifndef EXPORTER_BASE_MAPPING_SUMS_H_
#define EXPORTER_BASE_MAPPING_SUMS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pfe {

struct MappingSum {
  std::string comm;
  std::string mapping;  // a path, or a name such as [heap]
  uint64_t faults = 0;
  uint64_t stall_ns = 0;
};

struct MappingSums {
  std::vector<MappingSum> all;  // by comm and mapping
  size_t omitted = 0;           // that share the bucket "other" now
};

}  // namespace pfe

#endif  // EXPORTER_BASE_MAPPING_SUMS_H_
