// SPDX-License-Identifier: Apache-2.0
// What HTTP/1.1 asks of requests and answers (RFC 9110 and 9112), without
// sockets.
#ifndef EXPORTER_HTTP_PROTOCOL_H_
#define EXPORTER_HTTP_PROTOCOL_H_

#include <ctime>
#include <string>
#include <string_view>

#include "http/message.h"

namespace pfe {

// The time as a header has it: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110,
// section 5.6.7).
std::string HttpDate(std::time_t seconds);

// Whether the value of a Host header has only characters that a host and a port
// consist of (RFC 9110, section 7.2). It may be empty.
bool IsHost(std::string_view value);

// Whether the connection stays open for another request after a request of this
// version with this Connection header (RFC 9112, section 9.3).
bool KeepsAlive(std::string_view version, std::string_view connection);

// The status line and the header fields of an answer, with the empty line at
// their end. `length` is that of the body. `connection` is the value of the
// field of this name; an empty one is left out.
std::string HeadText(const HttpResponse& response, size_t length,
                     std::string_view connection);

}  // namespace pfe

#endif  // EXPORTER_HTTP_PROTOCOL_H_
