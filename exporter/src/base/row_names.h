// SPDX-License-Identifier: Apache-2.0
// By which names the rows of a table are summed, besides their comms.
#ifndef EXPORTER_BASE_ROW_NAMES_H_
#define EXPORTER_BASE_ROW_NAMES_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace pfe {

struct RowNames {
  // Valid UTF-8, each name once. They live as long as their maker says.
  std::vector<std::string_view> names;
  std::vector<uint32_t> of_row;  // by row: the index of its name
};

}  // namespace pfe

#endif  // EXPORTER_BASE_ROW_NAMES_H_
