// SPDX-License-Identifier: Apache-2.0
#include "http/query.h"

#include <gtest/gtest.h>

namespace pfe {
namespace {

using Map = std::map<std::string, std::string>;

TEST(ParseQuery, TakesPairsApart) {
  EXPECT_EQ(ParseQuery(""), Map());
  EXPECT_EQ(
      ParseQuery("a=1&b=x%20y+z&c&d=&&e=%2B%3d"),
      (Map{{"a", "1"}, {"b", "x y z"}, {"c", ""}, {"d", ""}, {"e", "+="}}));
}

TEST(ParseQuery, RefusesWhatIsMalformed) {
  for (const char* bad : {"a=%", "a=%4", "a=%zz", "a=1&a=2", "%4=x", "a=%-1"})
    EXPECT_FALSE(ParseQuery(bad)) << bad;
  EXPECT_FALSE(ParseQuery(std::string(5000, 'a')));
}

}  // namespace
}  // namespace pfe
