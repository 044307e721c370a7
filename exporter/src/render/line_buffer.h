// SPDX-License-Identifier: Apache-2.0
// A buffer that is written without asking at each byte whether it has room.
#ifndef EXPORTER_RENDER_LINE_BUFFER_H_
#define EXPORTER_RENDER_LINE_BUFFER_H_

#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "render/label.h"

namespace pfe {

class LineBuffer {
 public:
  static constexpr size_t kLongestNumber = 20;
  static constexpr size_t kLongestSeconds = kLongestNumber + 10;

  // Empties it and makes room for so many bytes; what is appended until the
  // next Begin() must not be more.
  void Begin(size_t bytes) {
    if (bytes > room_ || !bytes_) {
      bytes_ = std::make_unique_for_overwrite<char[]>(bytes + 1);
      room_ = bytes;
    }
    end_ = bytes_.get();
  }

  void Append(std::string_view text) {
    memcpy(end_, text.data(), text.size());
    end_ += text.size();
  }
  void Append(char c) { *end_++ = c; }
  void AppendNumber(uint64_t number) {
    end_ = std::to_chars(end_, end_ + kLongestNumber, number).ptr;
  }

  // At most twice its size.
  void AppendLabelValue(std::string_view value) {
    EscapeLabelValue(value, [this](char c) { Append(c); });
  }

  // Seconds, exactly, without zeros at the end.
  void AppendSeconds(uint64_t ns) {
    AppendNumber(ns / 1000000000u);
    uint64_t rest = ns % 1000000000u;
    if (!rest) return;
    Append('.');
    for (uint64_t unit = 100000000u; rest; rest %= unit, unit /= 10)
      Append(static_cast<char>('0' + rest / unit));
  }

  std::string_view text() const {
    return {bytes_.get(), static_cast<size_t>(end_ - bytes_.get())};
  }
  size_t size() const { return text().size(); }

 private:
  std::unique_ptr<char[]> bytes_;
  char* end_ = nullptr;
  size_t room_ = 0;
};

}  // namespace pfe

#endif  // EXPORTER_RENDER_LINE_BUFFER_H_
