// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_BASE_RECYCLE_H_
#define EXPORTER_BASE_RECYCLE_H_

#include <cstddef>

namespace pfe {

// Empties a vector or string that is filled again and again. Its memory is kept
// for the next content, unless the last content used less than a quarter of it:
// after a short peak the memory is given back.
template <typename Pool>
void Recycle(Pool* pool) {
  constexpr size_t kKeptBytes = 1 << 18;  // kept in any case
  const size_t bytes = pool->capacity() * sizeof(*pool->data());
  const bool little = pool->size() < pool->capacity() / 4;
  if (little && bytes > kKeptBytes)
    *pool = Pool();
  else
    pool->clear();
}

}  // namespace pfe

#endif  // EXPORTER_BASE_RECYCLE_H_
