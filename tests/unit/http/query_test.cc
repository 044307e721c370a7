// SPDX-License-Identifier: Apache-2.0
#include "http/query.h"

#include <gtest/gtest.h>

namespace pfe {
namespace {

using Map = std::map<std::string, std::string>;

TEST(ParseQuery, TakesPairsApart) {
  std::string error;
  EXPECT_EQ(ParseQuery("", &error), Map());
  EXPECT_EQ(
      ParseQuery("a=1&b=x%20y+z&c&d=&&e=%2B%3d", &error),
      (Map{{"a", "1"}, {"b", "x y z"}, {"c", ""}, {"d", ""}, {"e", "+="}}));
}

TEST(ParseQuery, RefusesWhatIsMalformed) {
  const struct {
    std::string query;
    const char* error;
  } kCases[] = {
      {"a=%", "a=%: an escape is not % and two hex digits"},
      {"b&a=%4", "a=%4: an escape is not % and two hex digits"},
      {"a=%zz", "a=%zz: an escape is not % and two hex digits"},
      {"%4=x", "%4=x: an escape is not % and two hex digits"},
      {"a=%-1", "a=%-1: an escape is not % and two hex digits"},
      {"a=1&b=2&a=2", "a: is given twice"},
      {std::string(5000, 'a'), "the query is longer than 4096 bytes"},
  };
  for (const auto& [query, expected] : kCases) {
    std::string error;
    EXPECT_FALSE(ParseQuery(query, &error)) << query;
    EXPECT_EQ(error, expected);
  }
}

}  // namespace
}  // namespace pfe
