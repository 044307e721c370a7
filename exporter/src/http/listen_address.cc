// SPDX-License-Identifier: Apache-2.0
#include "http/listen_address.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>

namespace pfe {
namespace {

// Whether sockets of IPv6 can be made. They cannot with the boot option
// ipv6.disable=1, or where a sandbox forbids them.
bool HostHasIpv6() {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

// Splits at the last colon. The host may be empty.
bool SplitAddress(const std::string& address, std::string* host,
                  std::string* port) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return false;
  *host = address.substr(0, colon);
  *port = address.substr(colon + 1);
  return true;
}

std::string CheckHost(const std::string& host) {
  if (host.empty() || host == "localhost") return "";
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return "";
  if (host.front() == '[' && host.back() == ']') {
    in6_addr v6;
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6) != 1)
      return "\"" + host + "\" is no IPv6 address";
    return HasIpv6() ? ""
                     : "this build of civetweb has no IPv6: use an IPv4 "
                       "address or :PORT";
  }
  return "\"" + host +
         "\" is neither an IPv4 address, localhost, nor an IPv6 address in "
         "brackets";
}

std::string CheckPort(const std::string& port) {
  if (!port.empty() && (port.back() == 's' || port.back() == 'r'))
    return "TLS is not offered here: put a proxy in front of a loopback "
           "address (see deploy/tls)";
  unsigned number = 0;
  const char* end = port.data() + port.size();
  const auto [at, error] = std::from_chars(port.data(), end, number);
  if (port.empty() || error != std::errc() || at != end || number > 65535)
    return "\"" + port + "\" is no port from 0 to 65535";
  return "";
}

}  // namespace

bool HasIpv6() { return mg_check_feature(MG_FEATURES_IPV6) != 0; }

std::string CheckListenAddress(const std::string& address) {
  std::string host, port;
  if (!SplitAddress(address, &host, &port))
    return "expected HOST:PORT or :PORT";
  const std::string wrong = CheckPort(port);
  return wrong.empty() ? CheckHost(host) : wrong;
}

std::string ListenHost(const std::string& address) {
  std::string host, port;
  SplitAddress(address, &host, &port);
  if (host.empty()) return HasIpv6() && HostHasIpv6() ? "[::]" : "0.0.0.0";
  return host == "localhost" ? "127.0.0.1" : host;
}

// A port after a + is one socket for IPv6 and IPv4; [::] would be for IPv6
// only.
std::string CivetwebPort(const std::string& address) {
  std::string host, port;
  SplitAddress(address, &host, &port);
  const std::string resolved = ListenHost(address);
  return host.empty() && resolved == "[::]" ? "+" + port
                                            : resolved + ":" + port;
}

}  // namespace pfe
