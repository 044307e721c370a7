// SPDX-License-Identifier: Apache-2.0
// The JSON API: /api/v1/processes, /api/v1/comms, /api/v1/status.
#ifndef EXPORTER_HTTP_API_H_
#define EXPORTER_HTTP_API_H_

#include <chrono>
#include <string_view>

#include "http/message.h"
#include "render/view.h"

namespace pfe {

bool IsApiPath(std::string_view path);

// Answers a path for which IsApiPath() holds; `query` as it came. 400 with a
// sentence for a parameter that is not understood.
//   processes: sort=faults_rate|major_rate|stall_rate|faults|major|rss|vma|pid|
//              comm, order=asc|desc, limit=1..1000 (50), filter=RE2 on the
//              comm, comm=exact name, pid=N, history=0|1
//   comms:     sort, order, limit, filter likewise, by processes too
HttpResponse AnswerApi(std::string_view path, std::string_view query,
                       const View& view, std::chrono::milliseconds interval);

}  // namespace pfe

#endif  // EXPORTER_HTTP_API_H_
