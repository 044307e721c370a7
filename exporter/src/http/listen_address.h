// SPDX-License-Identifier: Apache-2.0
// The addresses that the server listens on: HOST:PORT, or :PORT for all
// interfaces. HOST is an IPv4 address, localhost, or an IPv6 address in
// brackets if civetweb supports IPv6.
#ifndef EXPORTER_HTTP_LISTEN_ADDRESS_H_
#define EXPORTER_HTTP_LISTEN_ADDRESS_H_

#include <string>

namespace pfe {

// Whether civetweb supports IPv6.
bool HasIpv6();

// Returns what is wrong with an address, or an empty text.
std::string CheckListenAddress(const std::string& address);

// The host to listen on. For :PORT it is [::], which is every address of IPv6
// and IPv4, or 0.0.0.0 if civetweb or the machine has no IPv6.
std::string ListenHost(const std::string& address);

// The address in the syntax of civetweb's option listening_ports.
std::string CivetwebPort(const std::string& address);

}  // namespace pfe

#endif  // EXPORTER_HTTP_LISTEN_ADDRESS_H_
