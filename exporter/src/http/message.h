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
  std::string_view query;  // as it came
  // The header's value, empty if absent; of one that came more than once the
  // values that are not empty with commas between (RFC 9110, section 5.3).
  std::function<std::string(const char* name)> header;
};

// A body is the pieces one after the other; they are shared, not copied.
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
