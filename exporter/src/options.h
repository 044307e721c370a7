// SPDX-License-Identifier: Apache-2.0
// The command line, validated.
#ifndef EXPORTER_OPTIONS_H_
#define EXPORTER_OPTIONS_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace pfe {

struct Options {
  std::chrono::milliseconds interval{5000};
  std::string debugfs = "/sys/kernel/debug";
  std::vector<std::string> listen_addresses = {":9110"};
  std::string telemetry_path = "/metrics";
  std::string log_level = "info";
  std::string log_format = "logfmt";
  bool once = false;
};

// Nothing if the program is to end at once, with *exit_code: after --help and
// --version (0, printed to stdout) or a bad option (2, a sentence on stderr
// that names the flag, the value and what is allowed).
std::optional<Options> ParseOptions(int argc, const char* const* argv,
                                    int* exit_code);

// "500ms", "5s", "1m", "1h"; nothing if it is none of these.
std::optional<std::chrono::milliseconds> ParseDuration(const std::string& text);

}  // namespace pfe

#endif  // EXPORTER_OPTIONS_H_
