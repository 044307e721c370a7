// SPDX-License-Identifier: Apache-2.0
// The module where it can be read, else /proc, and the module again when it
// comes back.
#ifndef EXPORTER_SOURCE_AUTO_SOURCE_H_
#define EXPORTER_SOURCE_AUTO_SOURCE_H_

#include <memory>

#include "source/source.h"

namespace pfe {

class AutoSource : public Source {
 public:
  AutoSource(std::unique_ptr<Source> preferred,
             std::unique_ptr<Source> fallback);

  const char* Name() const override { return preferred_->Name(); }
  // The snapshot of the fallback says why it is one.
  std::optional<Error> Read(Snapshot* snapshot) override;

 private:
  const std::unique_ptr<Source> preferred_;
  const std::unique_ptr<Source> fallback_;
};

}  // namespace pfe

#endif  // EXPORTER_SOURCE_AUTO_SOURCE_H_
