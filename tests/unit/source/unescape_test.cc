// SPDX-License-Identifier: Apache-2.0
#include "source/unescape.h"

#include <gtest/gtest.h>

#include <string>

namespace pfe {
namespace {

TEST(Unescape, UndoesTheContractsEscapes) {
  EXPECT_EQ(Unescape("plain"), "plain");
  EXPECT_EQ(Unescape(""), "");
  EXPECT_EQ(Unescape(R"(a\\b\nc\td)"), "a\\b\nc\td");
  EXPECT_EQ(Unescape(R"(\303\251)"), "\xc3\xa9");
  EXPECT_EQ(Unescape(R"(\000)"), std::string(1, '\0'));
  EXPECT_EQ(Unescape(R"(\377)"), "\xff");
  EXPECT_EQ(Unescape(R"(\0123)"), "\n3");
}

TEST(Unescape, RefusesWhatTheModuleNeverWrites) {
  for (const char* bad :
       {"\\", "a\\", "\\x41", "\\4", "\\40", "\\400", "\\08a", "\\r", "\\n\\"})
    EXPECT_FALSE(Unescape(bad)) << bad;
}

}  // namespace
}  // namespace pfe
