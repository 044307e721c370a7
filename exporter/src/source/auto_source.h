// SPDX-License-Identifier: Apache-2.0
// Reads the preferred source, and the fallback while that fails. Every read
// tries the preferred source first, so it is used again as soon as it works.
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
  // If the preferred source cannot be read, snapshot->fell_back is set. If the
  // fallback cannot be read either, the error has the cause of the fallback,
  // and a message that names both.
  std::optional<Error> Read(Snapshot* snapshot) override;

 private:
  const std::unique_ptr<Source> preferred_;
  const std::unique_ptr<Source> fallback_;
};

}  // namespace pfe

#endif  // EXPORTER_SOURCE_AUTO_SOURCE_H_
