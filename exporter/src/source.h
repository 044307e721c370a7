// SPDX-License-Identifier: Apache-2.0
// Where snapshots come from.
#ifndef EXPORTER_SOURCE_H_
#define EXPORTER_SOURCE_H_

#include "result.h"
#include "snapshot.h"

namespace pfe {

class Source {
 public:
  virtual ~Source() = default;
  // The label `source` of metrics.
  virtual const char* Name() const = 0;
  // Reads all there is. Called by one thread at a time.
  virtual Result<Snapshot> Read() = 0;
};

}  // namespace pfe

#endif  // EXPORTER_SOURCE_H_
