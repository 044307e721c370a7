// SPDX-License-Identifier: Apache-2.0
// A request and its answer, as handlers see them.
#ifndef EXPORTER_HTTP_MESSAGE_H_
#define EXPORTER_HTTP_MESSAGE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pfe {

struct HttpRequest {
  std::string_view method;
  std::string_view path;   // decoded, without the query
  std::string_view query;  // still encoded
  bool is_local = false;   // from a loopback address of this machine
  // The value of a header, empty if it is absent. The non-empty values of a
  // header that comes more than once are joined by commas (RFC 9110, section
  // 5.3).
  std::function<std::string(const char* name)> header;
};

// The body is the concatenation of the pieces, which are shared and not copied.
struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::shared_ptr<const std::string>> body;

  HttpResponse() = default;
  HttpResponse(int code, std::string text)
      : status(code),
        body{std::make_shared<const std::string>(std::move(text))} {}
};

}  // namespace pfe

#endif  // EXPORTER_HTTP_MESSAGE_H_
