// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_APP_READ_LOG_H_
#define EXPORTER_APP_READ_LOG_H_

#include <string>

#include "render/view.h"

namespace pfe {

// Logs how reads of the source go, once a change and not once a tick. For one
// thread.
class ReadLog {
 public:
  void Note(const View& view);

 private:
  bool first_ = true;
  std::string reason_;  // the last one logged, empty if the read was good
  std::string source_;  // that was read, empty if none
};

}  // namespace pfe

#endif  // EXPORTER_APP_READ_LOG_H_
