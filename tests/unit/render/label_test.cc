// SPDX-License-Identifier: Apache-2.0
#include "render/label.h"

#include <gtest/gtest.h>

#include <string>

namespace pfe {
namespace {

TEST(AppendLabelValue, EscapesThreeCharacters) {
  std::string out = "x";
  AppendLabelValue("a\"b\\c\nd\te\x01", &out);
  EXPECT_EQ(out, "xa\\\"b\\\\c\\nd\te\x01");
}

}  // namespace
}  // namespace pfe
