// SPDX-License-Identifier: Apache-2.0
// The interface of sources: each gives snapshots.
#ifndef EXPORTER_SOURCE_SOURCE_H_
#define EXPORTER_SOURCE_SOURCE_H_

#include <optional>

#include "base/result.h"
#include "base/snapshot.h"

namespace pfe {

class Source {
 public:
  virtual ~Source() = default;
  // The name of the preferred source. It is the label `source` of metrics while
  // no source can be read.
  virtual const char* Name() const = 0;
  // Replaces the content of the snapshot by a new read, and reuses its memory.
  // snapshot->source says which source was read. After an error the content is
  // unspecified, except for fell_back. Called by one thread at a time.
  virtual std::optional<Error> Read(Snapshot* snapshot) = 0;
};

}  // namespace pfe

#endif  // EXPORTER_SOURCE_SOURCE_H_
