// SPDX-License-Identifier: Apache-2.0
#include "follow/births.h"

namespace pfe {

uint64_t Births::HeldOf(size_t counter) const {
  for (const Birth& birth : births_)
    if (birth.counter == counter) return birth.held;
  return 0;
}

void Births::GrowHeld(size_t counter, uint64_t growth, uint64_t now_ns) {
  if (!Has(counter)) {
    births_.push_back({counter, now_ns, growth});
    return Know(counter);
  }
  for (Birth& birth : births_)
    if (birth.counter == counter) birth.held += growth;
}

bool Births::Release(uint64_t born_ns) {
  return std::erase_if(births_, [born_ns](const Birth& birth) {
    return birth.born_ns <= born_ns;
  });
}

void Births::Delay(uint64_t ns) {
  for (Birth& birth : births_) birth.born_ns += ns;
}

}  // namespace pfe
