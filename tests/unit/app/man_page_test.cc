// SPDX-License-Identifier: Apache-2.0
#include "app/man_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pfe {
namespace {

using testing::HasSubstr;

TEST(ManPage, HasEveryOption) {
  const std::string page = ManPage();
  for (const char* option :
       {"\\-\\-interval", "processes.include", "\\-\\-top"})
    EXPECT_THAT(page, HasSubstr(option));
}

}  // namespace
}  // namespace pfe
