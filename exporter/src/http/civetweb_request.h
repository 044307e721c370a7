// SPDX-License-Identifier: Apache-2.0
// What civetweb has parsed of a request, and what it has let through although
// RFC 9112 forbids it.
#ifndef EXPORTER_HTTP_CIVETWEB_REQUEST_H_
#define EXPORTER_HTTP_CIVETWEB_REQUEST_H_

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

struct mg_request_info;

namespace pfe {

inline std::string_view OrEmpty(const char* text) {
  return text ? std::string_view(text) : std::string_view();
}

// Whether a request comes from 127.0.0.0/8, ::1 or, over a socket for both
// families, ::ffff:127.0.0.0/104.
bool IsLocal(const mg_request_info& info);

// The value of a header as HttpRequest::header() gives it.
std::string JoinedHeader(const mg_request_info& info, const char* name);

// The answer to a request that RFC 9112 forbids; nothing for any other.
std::optional<HttpResponse> Refuse(const mg_request_info& info);

// Whether the connection stays open after the answer. It is closed if the
// request has a body, which is not read and would be parsed as a request. It is
// also closed if lines end with a bare LF: then it is not certain that civetweb
// has parsed every header line.
bool KeepsOpen(const mg_request_info& info);

}  // namespace pfe

#endif  // EXPORTER_HTTP_CIVETWEB_REQUEST_H_
