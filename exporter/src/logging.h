// SPDX-License-Identifier: Apache-2.0
// Logs to stderr, as logfmt or JSON, by spdlog.
#ifndef EXPORTER_LOGGING_H_
#define EXPORTER_LOGGING_H_

#include <string>

#include "publication.h"

namespace pfe {

// Sets the default logger up. Level: debug, info, warn or error; format:
// logfmt or json.
void StartLogging(const std::string& level, const std::string& format);

// Logs how reads of the source go, once a change and not once a tick. For one
// thread.
class ReadLog {
 public:
  void Note(const Publication& publication);

 private:
  bool first_ = true;
  std::string reason_;  // the last one logged, empty if the read was good
  std::string source_;  // that was read, empty if none
};

}  // namespace pfe

#endif  // EXPORTER_LOGGING_H_
