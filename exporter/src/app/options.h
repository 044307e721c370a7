// SPDX-License-Identifier: Apache-2.0
// Parses and checks flags, environment and configuration file. A flag overrides
// the environment, and the environment overrides the file. The environment
// variable of a flag is PAGE_FAULT_EXPORTER_ and the flag's name in capitals,
// with _ in place of . and -. The file is a JSON object whose keys are the
// names without --.
//
// A wrong option ends the program with a message that names the option.
#ifndef EXPORTER_APP_OPTIONS_H_
#define EXPORTER_APP_OPTIONS_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "render/top_table.h"
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
  bool has_group_by = false;  // the only rule of groups is that of --group.by
  bool top = false;
  TopSettings top_table;  // of --top
  std::string explain;    // whose faults --explain explains; empty without it
  std::chrono::seconds explain_time{10};
  bool profile = false;         // answers requests for explanations
  size_t profile_mappings = 0;  // that have sums; 0: none
  bool profile_remote = false;
  std::string profile_stacks = "fp";  // or "dwarf"
};

struct ParsedOptions {
  std::optional<Options> options;  // nothing if the program must end at once
  std::string text;                // for stdout, of --help and --version
  // What is wrong with an option: a sentence that names the flag, variable or
  // key, its value and what is allowed.
  std::string error;
};
ParsedOptions ParseOptions(int argc, const char* const* argv);

// The options that differ and need a restart to change, e.g.
// "web.listen-address"; empty if there is none.
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

// Parses "500ms", "5s", "1m" or "1h". Returns nothing for anything else.
std::optional<std::chrono::milliseconds> ParseDuration(const std::string& text);

}  // namespace pfe

#endif  // EXPORTER_APP_OPTIONS_H_
