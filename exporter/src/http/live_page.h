// SPDX-License-Identifier: Apache-2.0
// Serves the HTML page at / and the files that it loads. They are those of web/
// and the chart library, embedded at build time.
#ifndef EXPORTER_HTTP_LIVE_PAGE_H_
#define EXPORTER_HTTP_LIVE_PAGE_H_

#include <string>
#include <string_view>

#include "http/message.h"
#include "render/view.h"

namespace pfe {

bool IsAssetPath(std::string_view path);

// Answers a path for which IsAssetPath() is true.
HttpResponse AnswerAsset(std::string_view path, bool gzip);

// The page itself. Without scripts it still shows the state and links the
// metrics.
HttpResponse AnswerLivePage(const View& view, std::string_view telemetry_path);

}  // namespace pfe

#endif  // EXPORTER_HTTP_LIVE_PAGE_H_
