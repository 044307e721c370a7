// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_BASE_REFILL_H_
#define EXPORTER_BASE_REFILL_H_

#include <cstddef>

namespace pfe {

// Empties a vector or string that is filled again and again. Its memory is kept
// for the next content, unless the last content used less than a quarter of it:
// after a short peak the memory is given back.
template <typename Container>
void ClearForRefill(Container* container) {
  constexpr size_t kKeptBytes = 1 << 18;  // kept in any case
  const size_t bytes = container->capacity() * sizeof(*container->data());
  const bool little = container->size() < container->capacity() / 4;
  if (little && bytes > kKeptBytes)
    *container = Container();
  else
    container->clear();
}

}  // namespace pfe

#endif  // EXPORTER_BASE_REFILL_H_
