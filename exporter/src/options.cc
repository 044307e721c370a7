// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <iostream>

#include "http_server.h"
#include "self_metrics.h"

namespace pfe {
namespace {

constexpr std::chrono::milliseconds kShortestInterval{100};
constexpr std::chrono::milliseconds kLongestInterval{3600000};

std::string CheckInterval(const std::string& text) {
  const auto interval = ParseDuration(text);
  if (interval && *interval >= kShortestInterval &&
      *interval <= kLongestInterval)
    return "";
  return "\"" + text + "\" is no duration from 100ms to 1h (such as 500ms, 5s, "
                       "1m)";
}

std::string CheckTelemetryPath(const std::string& path) {
  if (path.size() < 2 || path.front() != '/' || path.starts_with("/-/"))
    return "\"" + path +
           "\" is no path such as /metrics (it starts with /, is not / itself "
           "and not below /-/)";
  return "";
}

std::string CheckAddress(const std::string& address) {
  const std::string wrong = CheckListenAddress(address);
  return wrong.empty() ? "" : "\"" + address + "\": " + wrong;
}

void AddOptions(CLI::App* app, Options* options, std::string* interval) {
  app->set_version_flag("--version",
                        std::string("page_fault_exporter ") + Version());
  app->add_option("--interval", *interval, "How often the source is read")
      ->check(CheckInterval)
      ->type_name("DURATION")
      ->capture_default_str();
  app->add_option("--path.debugfs", options->debugfs,
                  "Where debugfs is mounted")
      ->type_name("DIRECTORY")
      ->capture_default_str();
  app->add_option("--web.listen-address", options->listen_addresses,
                  "Address to listen on, HOST:PORT or :PORT; repeatable")
      ->check(CheckAddress)
      ->type_name("ADDRESS")
      ->allow_extra_args(false)
      ->capture_default_str();
  app->add_option("--web.telemetry-path", options->telemetry_path,
                  "Path of the metrics")
      ->check(CheckTelemetryPath)
      ->type_name("PATH")
      ->capture_default_str();
  app->add_option("--log.level", options->log_level,
                  "Least level of messages that are logged")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  app->add_option("--log.format", options->log_format, "Form of the log")
      ->check(CLI::IsMember({"logfmt", "json"}))
      ->capture_default_str();
  app->add_flag("--once", options->once,
                "Read once, print the metrics to stdout, and end");
}

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(
    const std::string& text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number > 1000000000) return std::nullopt;
  const std::string_view unit(at, static_cast<size_t>(end - at));
  const auto n = static_cast<int64_t>(number);
  if (unit == "ms") return std::chrono::milliseconds(n);
  if (unit == "s") return std::chrono::seconds(n);
  if (unit == "m") return std::chrono::minutes(n);
  if (unit == "h") return std::chrono::hours(n);
  return std::nullopt;
}

std::optional<Options> ParseOptions(int argc, const char* const* argv,
                                    int* exit_code) {
  Options options;
  std::string interval = "5s";
  CLI::App app("Serves the page faults of every process to Prometheus");
  AddOptions(&app, &options, &interval);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    *exit_code = app.exit(success);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    std::cerr << "page_fault_exporter: " << error.what()
              << "; see --help\n";
    *exit_code = 2;
    return std::nullopt;
  }
  options.interval = *ParseDuration(interval);
  return options;
}

}  // namespace pfe
