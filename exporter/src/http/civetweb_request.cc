// SPDX-License-Identifier: Apache-2.0
#include "http/civetweb_request.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <netinet/in.h>
#include <strings.h>

#include <algorithm>
#include <cstring>

#include "http/protocol.h"

namespace pfe {
namespace {

ptrdiff_t CountOf(const mg_request_info& info, const char* name) {
  return std::count_if(info.http_headers, info.http_headers + info.num_headers,
                       [name](const mg_header& header) {
                         return strcasecmp(header.name, name) == 0;
                       });
}

// Whether a header's name is followed by blanks before its colon. The library
// replaces them and the colon by NUL.
bool HasBlankBeforeColon(const mg_header& header) {
  const char* const colon = header.name + strlen(header.name);
  return std::find(colon + 1, header.value, '\0') != header.value;
}

// The length of the line ends of a head: 2 for CR LF, 1 for LF, 0 if they
// differ or there are lines that the library has not read. It stops reading at
// a line that it takes for no field, for example one that begins with a blank.
// Then it would take a body for a request if Content-Length comes behind.
ptrdiff_t LineEnd(const mg_request_info& info) {
  if (info.num_headers == 0) return 2;
  const char* end = info.http_version + strlen(info.http_version);
  const ptrdiff_t length = info.http_headers[0].name - end;
  for (int i = 0; i < info.num_headers; ++i) {
    const mg_header& header = info.http_headers[i];
    if (header.name - end != length) return 0;
    end = header.value + strlen(header.value);
  }
  // The library has replaced the ends of the lines that it has read, and the
  // last byte of the head, by NUL.
  const bool is_last =
      end[1] == '\0' && (length == 1 || (end[2] == '\r' && end[3] == '\0'));
  return is_last && length <= 2 ? length : 0;
}

bool IsNumber(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool HasBody(const mg_request_info& info) {
  const std::string length = JoinedHeader(info, "Content-Length");
  return length.find_first_not_of('0') != std::string::npos ||
         !JoinedHeader(info, "Transfer-Encoding").empty();
}

// Whether the connection stays open for another request (RFC 9112, section
// 9.3). The library closes it after the first Connection field that is empty,
// is not keep-alive or asks for an upgrade too, so it is kept for the plain
// keep-alive only.
bool KeepsAlive(const mg_request_info& info) {
  switch (CountOf(info, "Connection")) {
    case 0:
      return OrEmpty(info.http_version) == "1.1";
    case 1:
      return strcasecmp(JoinedHeader(info, "Connection").c_str(),
                        "keep-alive") == 0;
    default:
      return false;
  }
}

}  // namespace

bool IsLocal(const mg_request_info& info) {
  in6_addr six{};
  in_addr four{};
  if (inet_pton(AF_INET, info.remote_addr, &four) == 1)
    return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
  if (inet_pton(AF_INET6, info.remote_addr, &six) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&six) ||
         (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == IN_LOOPBACKNET);
}

std::string JoinedHeader(const mg_request_info& info, const char* name) {
  std::string joined;
  for (int i = 0; i < info.num_headers; ++i) {
    const mg_header& header = info.http_headers[i];
    if (strcasecmp(header.name, name) != 0) continue;
    std::string_view value = OrEmpty(header.value);
    // The library leaves blanks behind a value.
    value = value.substr(0, value.find_last_not_of(' ') + 1);
    if (value.empty()) continue;
    if (!joined.empty()) joined += ", ";
    joined += value;
  }
  return joined;
}

std::optional<HttpResponse> Refuse(const mg_request_info& info) {
  // The library leaves out the fields behind this number.
  if (info.num_headers == MG_MAX_HEADERS)
    return HttpResponse(431, "Too many header fields\n");
  const mg_header* const end = info.http_headers + info.num_headers;
  if (LineEnd(info) == 0)
    return HttpResponse(400, "A line is no header field\n");
  if (std::any_of(info.http_headers, end, HasBlankBeforeColon))
    return HttpResponse(400, "A header field's name ends in a blank\n");
  const ptrdiff_t hosts = CountOf(info, "Host");
  if (hosts > 1 || (hosts == 0 && OrEmpty(info.http_version) != "1.0") ||
      !IsHost(JoinedHeader(info, "Host")))
    return HttpResponse(400, "A request has one valid Host\n");
  if (!IsNumber(JoinedHeader(info, "Content-Length")))
    return HttpResponse(400, "Content-Length is a number\n");
  return std::nullopt;
}

bool KeepsOpen(const mg_request_info& info) {
  return !HasBody(info) && LineEnd(info) == 2 && KeepsAlive(info);
}

}  // namespace pfe
