// SPDX-License-Identifier: Apache-2.0
#include "http/civetweb_request.h"

#include <civetweb.h>
#include <gtest/gtest.h>

#include <cstdio>

namespace pfe {
namespace {

bool IsLocalFrom(const char* address) {
  mg_request_info info{};
  snprintf(info.remote_addr, sizeof(info.remote_addr), "%s", address);
  return IsLocal(info);
}

TEST(IsLocal, IsOfLoopbackAddressesAlone) {
  for (const char* address :
       {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"})
    EXPECT_TRUE(IsLocalFrom(address)) << address;
  for (const char* address :
       {"", "10.0.0.1", "128.0.0.1", "126.255.255.255", "::", "::2", "fe80::1",
        "::ffff:10.0.0.1", "::127.0.0.1", "127.0.0.1.example", "x"})
    EXPECT_FALSE(IsLocalFrom(address)) << address;
}

}  // namespace
}  // namespace pfe
