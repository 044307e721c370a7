// SPDX-License-Identifier: Apache-2.0
#include "negotiation.h"

#include <gtest/gtest.h>

namespace pfe {
namespace {

TEST(AcceptsGzip, ByWeight) {
  for (const char* yes :
       {"gzip", "GZIP", "deflate, gzip", "gzip;q=0.5", "gzip; q=1.000", "*",
        "x-gzip", "identity;q=0, *;q=0.1", "br;q=1.0, gzip;q=0.8, *;q=0.1",
        "gzip ; q=0.001"})
    EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  for (const char* no : {"", "identity", "gzip;q=0", "gzip;q=0.0", "gzip;q=0.000",
                         "*;q=0", "gzip;q=0, *", "deflate", "gzipped",
                         "gzip;q=", "gzip;q=x", ",,;", "gzip;q=-1"})
    EXPECT_FALSE(AcceptsGzip(no)) << no;
}

}  // namespace
}  // namespace pfe
