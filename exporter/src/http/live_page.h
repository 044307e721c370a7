// SPDX-License-Identifier: Apache-2.0
// The HTML page at / and what it loads; the files are those of web/ and the
// chart library, embedded at build time.
#ifndef EXPORTER_HTTP_LIVE_PAGE_H_
#define EXPORTER_HTTP_LIVE_PAGE_H_

#include <string>
#include <string_view>

#include "http/message.h"
#include "render/view.h"

namespace pfe {

bool IsAssetPath(std::string_view path);

// Answers a path for which IsAssetPath() holds.
HttpResponse AnswerAsset(std::string_view path, bool gzip);

// The page itself. It tells its state and where the metrics are without
// scripts, too.
HttpResponse AnswerLivePage(const View& view, std::string_view telemetry_path);

}  // namespace pfe

#endif  // EXPORTER_HTTP_LIVE_PAGE_H_
