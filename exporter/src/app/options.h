// SPDX-License-Identifier: Apache-2.0
// Flags, environment and configuration file, validated.
//
// A flag wins over the environment, and that over the file. The name of a flag
// in the environment is PAGE_FAULT_EXPORTER_ and its letters in capitals, with
// _ for . and -; its key in the file, a JSON object, is its name without --.
#ifndef EXPORTER_APP_OPTIONS_H_
#define EXPORTER_APP_OPTIONS_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tick/pipeline.h"

namespace pfe {

struct Options {
  std::chrono::milliseconds interval{5000};
  std::string source = "auto";
  std::string debugfs = "/sys/kernel/debug";
  std::vector<std::string> listen_addresses = {":9110"};
  std::string telemetry_path = "/metrics";
  int max_requests = 40;
  std::string log_level = "info";
  std::string log_format = "logfmt";
  std::string config_file;
  PipelineSettings pipeline;
  bool once = false;
  bool config_check = false;
  std::optional<size_t> top;  // rows
};

// Nothing if the program is to end at once, with *exit_code: after --help and
// --version (0, printed to stdout) or a bad option (2, a sentence on stderr
// that names the flag, variable or key, the value and what is allowed).
std::optional<Options> ParseOptions(int argc, const char* const* argv,
                                    int* exit_code);

// What differs between two sets of options and takes a restart to change,
// e.g. "web.listen-address"; empty if nothing does.
std::vector<std::string> NeedRestart(const Options& before,
                                     const Options& after);

inline constexpr const char* kProgramDescription =
    "Serves the page faults of every process to Prometheus";

// What --help says of one option.
struct OptionHelp {
  std::string name;  // with its dashes
  std::string type;  // of its value; empty for a flag
  std::string description;
  std::string by_default;  // empty if there is none
};
std::vector<OptionHelp> OptionHelps();

// "500ms", "5s", "1m", "1h"; nothing if it is none of these.
std::optional<std::chrono::milliseconds> ParseDuration(const std::string& text);

}  // namespace pfe

#endif  // EXPORTER_APP_OPTIONS_H_
