// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_APP_READ_LOG_H_
#define EXPORTER_APP_READ_LOG_H_

#include <string>

#include "render/view.h"

namespace pfe {

// Logs whether reads of the source, and of the names of pods, succeed. It logs
// changes, not every tick.
// For one thread.
class ReadLog {
 public:
  void Note(const View& view);
  // What a read that succeeds can be without: processes and names.
  void NoteGaps(const View& view);

 private:
  void NoteLimited(const View& view);
  void NotePodNames(const View& view);
  void NoteNames(const View& view);

  bool first_ = true;
  std::string reason_;           // as last logged; empty if the read succeeded
  std::string source_;           // that was read; empty if none was
  std::string limited_;          // as last logged
  std::string pod_names_error_;  // as last logged
  std::string names_error_;      // as last logged
};

}  // namespace pfe

#endif  // EXPORTER_APP_READ_LOG_H_
