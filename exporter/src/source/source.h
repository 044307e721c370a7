// SPDX-License-Identifier: Apache-2.0
// Where snapshots come from.
#ifndef EXPORTER_SOURCE_SOURCE_H_
#define EXPORTER_SOURCE_SOURCE_H_

#include <optional>

#include "base/result.h"
#include "base/snapshot.h"

namespace pfe {

class Source {
 public:
  virtual ~Source() = default;
  // The source that is preferred: the label `source` of metrics when nothing
  // can be read.
  virtual const char* Name() const = 0;
  // Reads all there is in place of what is in the snapshot, whose memory is
  // used again; the snapshot says from which source. On an error its content
  // is unspecified. Called by one thread at a time.
  virtual std::optional<Error> Read(Snapshot* snapshot) = 0;
};

}  // namespace pfe

#endif  // EXPORTER_SOURCE_SOURCE_H_
