// SPDX-License-Identifier: Apache-2.0
#include "app/read_log.h"

#include <spdlog/spdlog.h>

namespace pfe {

void ReadLog::NotePodNames(const View& view) {
  const std::string error =
      view.pod_names_error ? view.pod_names_error->message : "";
  if (error == pod_names_error_) return;
  if (!error.empty())
    spdlog::warn("pods and containers have no names: cannot read {}", error);
  pod_names_error_ = error;
}

void ReadLog::NoteNames(const View& view) {
  if (view.names_error == names_error_) return;
  names_error_ = view.names_error;
  if (!names_error_.empty()) spdlog::warn("{}", names_error_);
}

void ReadLog::NoteLimited(const View& view) {
  if (view.limited == limited_) return;
  limited_ = view.limited;
  if (!limited_.empty()) spdlog::warn("{}", limited_);
}

void ReadLog::NoteGaps(const View& view) {
  NoteLimited(view);
  NotePodNames(view);
  NoteNames(view);
}

void ReadLog::Note(const View& view) {
  NoteGaps(view);
  const std::string reason = view.error    ? view.error->message
                             : view.reason ? view.reason->message
                                           : "";
  const std::string source = view.error ? "" : view.source;
  if (!first_ && reason == reason_ && source == source_) return;
  if (source.empty())
    spdlog::warn("cannot read the source {}: {}", view.source, reason);
  else if (!reason.empty())
    spdlog::warn(
        "reading the source {}, because the preferred one cannot be read: {}",
        source, reason);
  else if (first_)
    spdlog::info("reading the source {}: {} processes", source, view.processes);
  else
    spdlog::info("the source {} can be read again: {} processes", source,
                 view.processes);
  first_ = false;
  reason_ = reason;
  source_ = source;
}

}  // namespace pfe
