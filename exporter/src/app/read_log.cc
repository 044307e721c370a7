// SPDX-License-Identifier: Apache-2.0
#include "app/read_log.h"

#include <spdlog/spdlog.h>

namespace pfe {

void ReadLog::Note(const Publication& publication) {
  const std::string reason =
      publication.reason ? publication.reason->message : "";
  const std::string source = publication.error ? "" : publication.source;
  if (!first_ && reason == reason_ && source == source_) return;
  if (source.empty())
    spdlog::warn("cannot read the source {}: {}", publication.source, reason);
  else if (!reason.empty())
    spdlog::warn("reading the source {}, since the preferred one cannot be: {}",
                 source, reason);
  else if (first_)
    spdlog::info("reading the source {}: {} processes", source,
                 publication.processes);
  else
    spdlog::info("the source {} can be read again: {} processes", source,
                 publication.processes);
  first_ = false;
  reason_ = reason;
  source_ = source;
}

}  // namespace pfe
