// SPDX-License-Identifier: Apache-2.0
// By which names the rows of a table are summed, besides their comms.
#ifndef EXPORTER_BASE_ROW_NAMES_H_
#define EXPORTER_BASE_ROW_NAMES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/refill.h"

namespace pfe {

struct RowNames {
  // Valid UTF-8, each name once. They live as long as their maker says.
  std::vector<std::string_view> names;
  std::vector<uint32_t> of_row;  // by row: the index of its name
};

// The same with texts of its own, for readers that outlive the maker. It is
// filled again each tick, and then uses its memory again.
struct KeptRowNames {
  std::vector<std::string> names;
  std::vector<uint32_t> of_row;

  // Null empties it.
  void Keep(const RowNames* from) {
    ClearForRefill(&of_row);
    if (!from) return names.clear();
    names.assign(from->names.begin(), from->names.end());
    of_row = from->of_row;
  }
};

}  // namespace pfe

#endif  // EXPORTER_BASE_ROW_NAMES_H_
