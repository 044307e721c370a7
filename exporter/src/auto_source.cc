// SPDX-License-Identifier: Apache-2.0
#include "auto_source.h"

#include <utility>

namespace pfe {

AutoSource::AutoSource(std::unique_ptr<Source> preferred,
                       std::unique_ptr<Source> fallback)
    : preferred_(std::move(preferred)), fallback_(std::move(fallback)) {}

Result<Snapshot> AutoSource::Read() {
  Result<Snapshot> snapshot = preferred_->Read();
  if (snapshot.ok()) return snapshot;
  Result<Snapshot> second = fallback_->Read();
  if (!second.ok()) return snapshot;
  second.value().fell_back = snapshot.error();
  return second;
}

}  // namespace pfe
