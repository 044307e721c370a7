// SPDX-License-Identifier: Apache-2.0
#include "http/negotiation.h"

#include <gtest/gtest.h>

namespace pfe {
namespace {

TEST(AcceptsGzip, ByWeight) {
  for (const char* yes :
       {"gzip", "GZIP", "deflate, gzip", "gzip;q=0.5", "gzip; q=1.000", "*",
        "x-gzip", "identity;q=0, *;q=0.1", "br;q=1.0, gzip;q=0.8, *;q=0.1",
        "gzip ; q=0.001", "gzip;q=0.5, identity;q=0.5"})
    EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  for (const char* no :
       {"", "identity", "gzip;q=0", "gzip;q=0.0", "gzip;q=0.000", "*;q=0",
        "gzip;q=0, *", "deflate", "gzipped", "gzip;q=", "gzip;q=x", ",,;",
        "gzip;q=-1", "gzip;q=0.1, identity;q=1", "*;q=0.5, identity"})
    EXPECT_FALSE(AcceptsGzip(no)) << no;
}

TEST(AcceptsIdentity, UnlessExcluded) {
  for (const char* yes :
       {"", "gzip", "identity", "gzip, *;q=0, identity;q=0.1"})
    EXPECT_TRUE(AcceptsIdentity(yes)) << yes;
  for (const char* no : {"identity;q=0", "*;q=0", "gzip, identity;q=0.0"})
    EXPECT_FALSE(AcceptsIdentity(no)) << no;
}

TEST(PreferredFormat, ByWeight) {
  for (const char* text :
       {"",
        "*/*",
        "text/*",
        "text/plain",
        "text/plain;version=0.0.4",
        "application/openmetrics-text;q=0.5, text/plain;q=0.7",
        "application/openmetrics-text;version=9.0.0,*/*;q=0.1",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "application/openmetrics-text, text/plain",
        ("application/openmetrics-text,"
         "application/openmetrics-text;version=1.0.0;q=0, text/plain;q=0.5"),
        ",",
        " ,\t, ",
        "a/b;c=\"d, application/openmetrics-text, e\", text/plain;q=0.5",
        "a/b;c=\"\\\",\", text/plain",
        "text/html",
        "text/plain;q=0",
        "*/*;q=0",
        ("application/vnd.google.protobuf;proto=io.prometheus.client."
         "MetricFamily;encoding=delimited"),
        "text/plain;version=1.2.3",
        ",;",
        "text/plain, text/plain;version=0.0.4;q=0"})
    EXPECT_EQ(PreferredFormat(text), Format::kText) << text;
  for (const char* openmetrics :
       {"application/openmetrics-text", "application/*",
        ("application/openmetrics-text;version=1.0.0;q=0.75,"
         "application/openmetrics-text;version=0.0.1;q=0.5,"
         "text/plain;version=0.0.4;q=0.3,*/*;q=0.1"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        "application/openmetrics-text;version=\"1.0.0\""})
    EXPECT_EQ(PreferredFormat(openmetrics), Format::kOpenMetrics)
        << openmetrics;
}

}  // namespace
}  // namespace pfe
