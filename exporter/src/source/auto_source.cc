// SPDX-License-Identifier: Apache-2.0
#include "source/auto_source.h"

#include <utility>

namespace pfe {

AutoSource::AutoSource(std::unique_ptr<Source> preferred,
                       std::unique_ptr<Source> fallback)
    : preferred_(std::move(preferred)), fallback_(std::move(fallback)) {}

std::optional<Error> AutoSource::Read(Snapshot* snapshot) {
  std::optional<Error> error = preferred_->Read(snapshot);
  if (!error) return std::nullopt;
  std::optional<Error> other = fallback_->Read(snapshot);
  if (other) other->message = error->message + "; " + other->message;
  snapshot->fell_back = std::move(error);
  return other;
}

}  // namespace pfe
