// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace pfe {
namespace {

TEST(ToValidUtf8, KeepsWhatIsValid) {
  for (const char* valid :
       {"", "ascii", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\xa7",
        "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\x01\x7f"})
    EXPECT_EQ(ToValidUtf8(valid), valid);
}

// The Unicode Standard, chapter 3, tables 3-8 to 3-11.
TEST(ToValidUtf8, ReplacesMaximalSubparts) {
  const std::string r = "\xef\xbf\xbd";
  EXPECT_EQ(ToValidUtf8("\xc0\xaf"), r + r);
  EXPECT_EQ(ToValidUtf8("\xe0\x80\xbf"), r + r + r);
  EXPECT_EQ(ToValidUtf8("\xed\xa0\x80"), r + r + r);
  EXPECT_EQ(ToValidUtf8("\xf4\x91\x92\x93\xff"), r + r + r + r + r);
  EXPECT_EQ(ToValidUtf8("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"),
            r + r + r + r + "A");
  EXPECT_EQ(ToValidUtf8("a\x80z"), "a" + r + "z");
  EXPECT_EQ(ToValidUtf8("cut\xe2\x82"), "cut" + r);
}

TEST(WithoutControls, ReplacesThemAlone) {
  EXPECT_EQ(WithoutControls("a\x1b[2J\n\x7f\xc2\x80\xc2\x9f"), "a?[2J????");
  EXPECT_EQ(WithoutControls("\xc2\xa0 \xc3\xa9~"), "\xc2\xa0 \xc3\xa9~");
}

TEST(WithoutCutEnd, DropsTheStartOfACharacter) {
  for (const char* cut : {"a\xc3", "a\xe2", "a\xe2\x82", "a\xf0\x9f\x90"})
    EXPECT_EQ(WithoutCutEnd(cut), "a");
  EXPECT_EQ(WithoutCutEnd("\xe2"), "");
  // They are complete, or no character however they go on.
  for (const char* whole :
       {"", "a", "\xc3\xa9", "\xf0\x9f\x90\xa7", "\x80", "a\xc0", "a\xff",
        "a\xe2\xc3\xa9", "\xe0\x80", "a\x82\x82\x82\x82"})
    EXPECT_EQ(WithoutCutEnd(whole), whole);
}

TEST(ToValidUtf8, IsIdempotentOnAnyBytes) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 16, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::string once = ToValidUtf8(bytes);
    EXPECT_EQ(ToValidUtf8(once), once);
  }
}

}  // namespace
}  // namespace pfe
