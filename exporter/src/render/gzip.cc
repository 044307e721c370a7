// SPDX-License-Identifier: Apache-2.0
#include "render/gzip.h"

#include <isa-l.h>
#include <zlib.h>

#include <mutex>
#include <stdexcept>
#include <vector>

namespace pfe {
namespace {

// The largest piece that is compressed in one call: the library counts in 32
// bits.
constexpr size_t kMostBytes = 1 << 24;

uint8_t* Bytes(const char* text) {
  return reinterpret_cast<uint8_t*>(const_cast<char*>(text));
}

void Put(uint32_t number, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8)
    *out += static_cast<char>(number >> shift);
}

}  // namespace

struct Compressor::Implementation {
  isal_zstream stream;
  // Level 1 is the fastest level that looks for matches. Texts are compressed
  // every tick, but each result is read only once or twice.
  std::vector<uint8_t> level = std::vector<uint8_t>(ISAL_DEF_LVL1_SMALL);
  std::string out;

  void Append(std::string_view text, Deflated* to) {
    // Text that does not compress is stored, with a header for each 64 kB.
    const size_t bound = text.size() + text.size() / 4096 + 256;
    if (out.size() < bound) out.resize(bound);
    isal_deflate_stateless_init(&stream);
    stream.level = 1;
    stream.level_buf = level.data();
    stream.level_buf_size = static_cast<uint32_t>(level.size());
    stream.gzip_flag = IGZIP_DEFLATE;
    stream.flush = FULL_FLUSH;
    stream.end_of_stream = 0;
    stream.next_in = Bytes(text.data());
    stream.avail_in = static_cast<uint32_t>(text.size());
    stream.next_out = Bytes(out.data());
    stream.avail_out = static_cast<uint32_t>(out.size());
    if (isal_deflate_stateless(&stream) != COMP_OK || stream.avail_in != 0)
      throw std::runtime_error("a text cannot be compressed");
    to->bytes.append(out, 0, stream.total_out);
    to->crc = crc32_gzip_refl(to->crc, Bytes(text.data()), text.size());
    to->size += text.size();
  }
};

Compressor::Compressor()
    : implementation_(std::make_unique<Implementation>()) {}
Compressor::~Compressor() = default;

void Compressor::Append(std::string_view text, Deflated* to) {
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, kMostBytes);
    implementation_->Append(piece, to);
    text.remove_prefix(piece.size());
  }
}

const std::string& GzipFrame::Header() {
  // The fields of the header: deflate, no flags, no time, no extra flags,
  // unknown system.
  static const std::string header("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  return header;
}

void GzipFrame::Add(const Deflated& part) {
  crc_ = static_cast<uint32_t>(
      crc32_combine(crc_, part.crc, static_cast<z_off_t>(part.size)));
  size_ += part.size;
}

std::string GzipFrame::Trailer() const {
  // The last block: an empty one with the fixed codes.
  std::string trailer("\x03\0", 2);
  Put(crc_, &trailer);
  Put(static_cast<uint32_t>(size_), &trailer);
  return trailer;
}

Deflated Deflate(std::string_view text) {
  static std::mutex mutex;
  static Compressor compressor;
  Deflated part;
  const std::lock_guard<std::mutex> lock(mutex);
  compressor.Append(text, &part);
  part.bytes.shrink_to_fit();
  return part;
}

std::string Gzip(std::string_view text) {
  const Deflated part = Deflate(text);
  GzipFrame frame;
  frame.Add(part);
  return GzipFrame::Header() + part.bytes + frame.Trailer();
}

std::string Inflate(const Deflated& part) {
  std::string text(part.size, '\0');
  const auto state = std::make_unique<inflate_state>();
  isal_inflate_init(state.get());
  state->next_in = Bytes(part.bytes.data());
  state->next_out = Bytes(text.data());
  state->avail_in = static_cast<uint32_t>(part.bytes.size());
  state->avail_out = static_cast<uint32_t>(text.size());
  if (isal_inflate(state.get()) != ISAL_DECOMP_OK || state->avail_out != 0)
    throw std::runtime_error("a compressed text is damaged");
  return text;
}

}  // namespace pfe
