// SPDX-License-Identifier: Apache-2.0
// Logs to stderr, as logfmt or JSON, by spdlog.
#ifndef EXPORTER_APP_LOGGING_H_
#define EXPORTER_APP_LOGGING_H_

#include <string>

namespace pfe {

// Sets the default logger up. Level: debug, info, warn or error; format:
// logfmt or json.
void StartLogging(const std::string& level, const std::string& format);

}  // namespace pfe

#endif  // EXPORTER_APP_LOGGING_H_
