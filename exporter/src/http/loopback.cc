// SPDX-License-Identifier: Apache-2.0
#include "http/loopback.h"

#include <arpa/inet.h>

#include <string>

namespace pfe {
namespace {

// Without the port, and without the brackets of an IPv6 address.
std::string NameOf(const std::string& host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

// HTTP/1.0 has no Host.
bool IsLoopback(const std::string& host) {
  const std::string name = NameOf(host);
  in_addr address{};
  return host.empty() || name == "localhost" || name == "::1" ||
         (inet_pton(AF_INET, name.c_str(), &address) == 1 &&
          ntohl(address.s_addr) >> 24 == 127);
}

// A proxy on this machine asks for others, and can set Host to the address that
// it connects to.
bool IsForwarded(const HttpRequest& request) {
  for (const char* name :
       {"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"})
    if (!request.header(name).empty()) return true;
  return false;
}

}  // namespace

bool IsOfThisMachine(const HttpRequest& request) {
  const std::string site = request.header("Sec-Fetch-Site");
  return request.is_local && !IsForwarded(request) &&
         IsLoopback(request.header("Host")) &&
         (site.empty() || site == "same-origin" || site == "none");
}

}  // namespace pfe
