// SPDX-License-Identifier: Apache-2.0
// The JSON API: /api/v1/processes, /api/v1/comms, /api/v1/cgroups,
// /api/v1/groups, /api/v1/status.
#ifndef EXPORTER_HTTP_API_H_
#define EXPORTER_HTTP_API_H_

#include <chrono>
#include <string_view>

#include "http/message.h"
#include "render/view.h"

namespace pfe {

// What the status says of the service itself.
struct ApiFacts {
  std::chrono::milliseconds interval{0};
  bool has_explain = false;  // /api/v1/explain is served
};

bool IsApiPath(std::string_view path);

// Answers a path for which IsApiPath() is true. `query` is still encoded. To a
// wrong parameter it answers 400 and a sentence that says what is wrong.
HttpResponse AnswerApi(std::string_view path, std::string_view query,
                       const View& view, const ApiFacts& facts);

}  // namespace pfe

#endif  // EXPORTER_HTTP_API_H_
