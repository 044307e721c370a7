// SPDX-License-Identifier: Apache-2.0
#include "render/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "render/rendered_text.h"

namespace pfe {
namespace {

// Decompresses as curl and browsers do, which read one member. Returns nothing
// if the data is damaged or continues after the member.
std::optional<std::string> Gunzip(const std::string& member) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return std::nullopt;
  std::string text;
  char buffer[1 << 16];
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(member.data()));
  stream.avail_in = static_cast<uInt>(member.size());
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof(buffer);
    result = inflate(&stream, Z_NO_FLUSH);
    text.append(buffer, sizeof(buffer) - stream.avail_out);
  }
  const bool whole = result == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  return whole ? std::optional(text) : std::nullopt;
}

// Lines of text, or incompressible bytes.
std::string Text(size_t size, bool random, std::mt19937* generator) {
  std::string text;
  while (text.size() < size)
    if (random)
      text += static_cast<char>((*generator)());
    else
      text += "rss_bytes{pid=\"" + std::to_string((*generator)() % 9999) +
              "\"} 1\n";
  text.resize(size);
  return text;
}

TEST(Gzip, OneMember) {
  std::mt19937 random(1);
  for (size_t size : {0u, 1u, 100u, 65535u, 65536u, 1000000u})
    for (bool noise : {false, true}) {
      const std::string text = Text(size, noise, &random);
      EXPECT_EQ(Gunzip(Gzip(text)), text) << size;
    }
}

TEST(GzipFrame, PartsMakeOneMember) {
  std::mt19937 random(2);
  Compressor compressor;
  for (int round = 0; round < 30; ++round) {
    std::string text, member = GzipFrame::Header();
    GzipFrame frame;
    for (auto parts = random() % 6; parts > 0; --parts) {
      Deflated part;
      std::string of_part;
      for (auto pieces = random() % 4; pieces > 0; --pieces) {
        const std::string piece =
            Text(random() % 200000, random() % 4 == 0, &random);
        compressor.Append(piece, &part);
        of_part += piece;
      }
      EXPECT_EQ(Inflate(part), of_part);
      frame.Add(part);
      member += part.bytes;
      text += of_part;
    }
    ASSERT_EQ(Gunzip(member + frame.Trailer()), text) << round;
  }
}

TEST(RenderedText, MakesTheOtherFormAtItsFirstUse) {
  Compressor compressor;
  const std::string text(100000, 'x');
  for (const Forms& forms :
       {Forms{true, false}, Forms{false, true}, Forms{true, true}}) {
    TextBuilder builder(forms, &compressor);
    EXPECT_TRUE(builder.empty());
    for (size_t at = 0; at < text.size(); at += 30000)
      builder.Append(std::string_view(text).substr(at, 30000));
    const auto rendered = builder.Finish();
    EXPECT_EQ(*rendered->plain(), text);
    EXPECT_EQ(Inflate(*rendered->packed()), text);
    EXPECT_EQ(rendered->packed(), rendered->packed());
    const auto packed = RenderedText::In({false, true}, rendered);
    EXPECT_FALSE(packed->has_plain());
    EXPECT_EQ(packed->packed(), rendered->packed());
    EXPECT_EQ(RenderedText::In({false, true}, packed), packed);
    const auto plain = RenderedText::In({true, false}, packed);
    EXPECT_FALSE(plain->has_packed());
    EXPECT_EQ(*plain->plain(), text);
  }
}

}  // namespace
}  // namespace pfe
