// SPDX-License-Identifier: Apache-2.0
// Sets up the log: to stderr, as logfmt or JSON, by spdlog.
#ifndef EXPORTER_APP_LOGGING_H_
#define EXPORTER_APP_LOGGING_H_

#include <string>

namespace pfe {

// Configures spdlog's default logger. `level` is debug, info, warn or error;
// `format` is logfmt or json.
void StartLogging(const std::string& level, const std::string& format);

}  // namespace pfe

#endif  // EXPORTER_APP_LOGGING_H_
