// SPDX-License-Identifier: Apache-2.0
#include "logging.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>

namespace pfe {
namespace {

// The message as a quoted string: in JSON's escapes, which logfmt's readers
// know too.
class QuotedMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string quoted =
        nlohmann::json(
            std::string(message.payload.data(), message.payload.size()))
            .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    out.append(quoted.data(), quoted.data() + quoted.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<QuotedMessage>();
  }
};

}  // namespace

void StartLogging(const std::string& level, const std::string& format) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(
      spdlog::pattern_time_type::utc);
  formatter->add_flag<QuotedMessage>('*').set_pattern(
      format == "json"
          ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","msg":%*})"
          : "ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l msg=%*");
  auto logger = std::make_shared<spdlog::logger>(
      "", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::debug);
  // A closed or full stderr must not end the service, nor flood it.
  logger->set_error_handler([](const std::string&) {});
  spdlog::set_default_logger(std::move(logger));
}

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
