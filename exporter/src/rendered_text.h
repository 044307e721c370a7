// SPDX-License-Identifier: Apache-2.0
// A text that is served as it is or compressed; shared by ticks and requests.
#ifndef EXPORTER_RENDERED_TEXT_H_
#define EXPORTER_RENDERED_TEXT_H_

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "gzip.h"

namespace pfe {

// Thread safety: all members. Compressed at first use, once: what nobody asks
// for costs nothing. Compressed texts can be joined (RFC 1952, section 2.2).
class RenderedText {
 public:
  using Bytes = std::shared_ptr<const std::string>;

  explicit RenderedText(std::string text)
      : plain_(std::make_shared<const std::string>(std::move(text))) {}

  const Bytes& plain() const { return plain_; }
  const Bytes& gzip() const {
    std::call_once(once_, [this] {
      gzip_ = std::make_shared<const std::string>(Gzip(*plain_));
    });
    return gzip_;
  }

 private:
  const Bytes plain_;
  mutable std::once_flag once_;
  mutable Bytes gzip_;
};

}  // namespace pfe

#endif  // EXPORTER_RENDERED_TEXT_H_
