// SPDX-License-Identifier: Apache-2.0
// Joins parts to one gzip member (RFC 1952). Each part was compressed on its
// own, so that several texts can share it. There is only one member, because
// curl and browsers treat what follows the first member as garbage.
#ifndef EXPORTER_RENDER_GZIP_H_
#define EXPORTER_RENDER_GZIP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pfe {

// A part of a member: blocks of deflate (RFC 1951) that end at a byte boundary
// and do not refer to data outside of the part.
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
  // Compresses the text and appends it to `to`.
  void Append(std::string_view text, Deflated* to);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// The header and the trailer around the parts of a member.
class GzipFrame {
 public:
  static const std::string& Header();
  // Adds the next part to the checksum.
  void Add(const Deflated& part);
  // What follows the last part.
  std::string Trailer() const;

 private:
  uint32_t crc_ = 0;
  size_t size_ = 0;
};

// Compresses a text. Thread safe: threads share one compressor.
Deflated Deflate(std::string_view text);

// Compresses a text to a whole member.
std::string Gzip(std::string_view text);

// Decompresses a part.
std::string Inflate(const Deflated& part);

}  // namespace pfe

#endif  // EXPORTER_RENDER_GZIP_H_
