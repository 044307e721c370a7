// SPDX-License-Identifier: Apache-2.0
// A text that is served plain or compressed. Ticks and requests share it.
#ifndef EXPORTER_RENDER_RENDERED_TEXT_H_
#define EXPORTER_RENDER_RENDERED_TEXT_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "render/gzip.h"

namespace pfe {

// The forms in which texts are requested.
struct Forms {
  bool plain = true;
  bool gzip = false;
};

// Thread safety: all members. The constructor gets the text in one form or in
// both. A missing form is made once, at its first use, so that a form that is
// not requested costs neither time nor memory.
class RenderedText {
 public:
  using Bytes = std::shared_ptr<const std::string>;
  using Packed = std::shared_ptr<const Deflated>;

  explicit RenderedText(std::string text)
      : RenderedText(std::make_shared<const std::string>(std::move(text)),
                     nullptr) {}
  // One of the two may be null, but not both.
  RenderedText(Bytes plain, Packed packed)
      : plain_(std::move(plain)),
        packed_(std::move(packed)),
        has_plain_(plain_ != nullptr),
        has_packed_(packed_ != nullptr) {}

  const Bytes& plain() const {
    std::call_once(plain_once_, [this] {
      if (!plain_)
        plain_ = std::make_shared<const std::string>(Inflate(*packed_));
      has_plain_ = true;
    });
    return plain_;
  }
  const Packed& packed() const {
    std::call_once(packed_once_, [this] {
      if (!packed_)
        packed_ = std::make_shared<const Deflated>(Deflate(*plain_));
      has_packed_ = true;
    });
    return packed_;
  }
  bool has_plain() const { return has_plain_; }
  bool has_packed() const { return has_packed_; }

  // Returns the text with exactly these forms. If `text` has exactly these
  // already, it is returned itself.
  static std::shared_ptr<const RenderedText> In(
      const Forms& forms, const std::shared_ptr<const RenderedText>& text) {
    if (text->has_plain() == forms.plain && text->has_packed() == forms.gzip)
      return text;
    return std::make_shared<const RenderedText>(
        forms.plain ? text->plain() : nullptr,
        forms.gzip ? text->packed() : nullptr);
  }

 private:
  mutable std::once_flag plain_once_, packed_once_;
  mutable Bytes plain_;    // set by the constructor or in plain_once_
  mutable Packed packed_;  // set by the constructor or in packed_once_
  mutable std::atomic<bool> has_plain_, has_packed_;
};

// Makes a text from pieces, in the forms that are wanted.
class TextBuilder {
 public:
  TextBuilder(const Forms& forms, Compressor* compressor)
      : forms_(forms), compressor_(compressor) {}

  // Appends a piece. Each piece is compressed on its own: larger pieces
  // compress better.
  void Append(std::string_view piece) {
    if (piece.empty()) return;
    empty_ = false;
    if (forms_.plain) plain_ += piece;
    if (forms_.gzip) compressor_->Append(piece, &packed_);
  }
  bool empty() const { return empty_; }
  std::shared_ptr<const RenderedText> Finish() {
    plain_.shrink_to_fit();
    packed_.bytes.shrink_to_fit();
    return std::make_shared<const RenderedText>(
        forms_.plain ? std::make_shared<const std::string>(std::move(plain_))
                     : nullptr,
        forms_.gzip ? std::make_shared<const Deflated>(std::move(packed_))
                    : nullptr);
  }

 private:
  const Forms forms_;
  Compressor* const compressor_;
  bool empty_ = true;
  std::string plain_;
  Deflated packed_;
};

}  // namespace pfe

#endif  // EXPORTER_RENDER_RENDERED_TEXT_H_
