// SPDX-License-Identifier: Apache-2.0
// gzip (RFC 1952) of a text whose parts were compressed before, each on its
// own, and are shared by many texts: one member, since curl and browsers take
// what is behind the first one for rubbish.
#ifndef EXPORTER_RENDER_GZIP_H_
#define EXPORTER_RENDER_GZIP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pfe {

// A part of a member: blocks of deflate (RFC 1951) that end at a byte and refer
// to nothing outside.
struct Deflated {
  std::string bytes;
  uint32_t crc = 0;  // of the text
  size_t size = 0;   // of the text
};

// For one thread.
class Compressor {
 public:
  Compressor();
  ~Compressor();
  // Compresses the text and puts it behind what is in `to`.
  void Append(std::string_view text, Deflated* to);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// What is around the parts of a member.
class GzipFrame {
 public:
  static const std::string& Header();
  // Notes the next part.
  void Add(const Deflated& part);
  // What follows the last part.
  std::string Trailer() const;

 private:
  uint32_t crc_ = 0;
  size_t size_ = 0;
};

// Any thread: by a compressor that they share.
Deflated Deflate(std::string_view text);

// A member of its own.
std::string Gzip(std::string_view text);

// The text of a part.
std::string Inflate(const Deflated& part);

}  // namespace pfe

#endif  // EXPORTER_RENDER_GZIP_H_
