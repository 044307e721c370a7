// SPDX-License-Identifier: Apache-2.0
#include "http/html.h"

#include <gtest/gtest.h>

namespace pfe {
namespace {

TEST(EscapeHtml, EscapesMarkup) {
  EXPECT_EQ(EscapeHtml("<b a='1' c=\"2\">&"),
            "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;");
}

}  // namespace
}  // namespace pfe
