// SPDX-License-Identifier: Apache-2.0
#include "app/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include "app/config_file.h"
#include "app/flags.h"

namespace pfe {
namespace {

// Refuses a variable such as ",". CLI11 would take it for one that is not set,
// and the daemon would listen on every address.
void RefuseEmptyLists(CLI::App* app) {
  for (const CLI::Option* option : app->get_options()) {
    const std::string name = option->get_envname();
    const char* value = name.empty() ? nullptr : getenv(name.c_str());
    if (value && *value && option->count() == 0)
      throw CLI::ValidationError(name, "is an empty list");
  }
}

void RefuseExtras(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  if (!extras.empty())
    throw CLI::ValidationError(extras.front(), "is no option");
}

// Whether a text has the flag, and not a longer one that begins with it.
bool HasFlag(std::string_view text, std::string_view flag) {
  const auto goes_on = [](char c) {
    return c == '.' || c == '-' || std::isalnum(static_cast<unsigned char>(c));
  };
  for (size_t at = text.find(flag); at != text.npos;
       at = text.find(flag, at + 1)) {
    const std::string_view behind = text.substr(at + flag.size());
    if (behind.empty() || !goes_on(behind.front())) return true;
  }
  return false;
}

// Names the environment variable that an error is about: the error names an
// option, and only the variable sets this option.
std::string VariableOf(const CLI::App& app, const std::string& error, int argc,
                       const char* const* argv) {
  // A message about the file quotes its content, which can contain the name of
  // any option.
  constexpr std::string_view kFile = "--config.file: ";
  const std::string_view about =
      std::string_view(error).starts_with(kFile) ? kFile : error;
  for (const CLI::Option* option : app.get_options()) {
    const std::string flag = "--" + option->get_single_name();
    const std::string variable = option->get_envname();
    if (!getenv(variable.c_str()) || !HasFlag(about, flag)) continue;
    if (std::any_of(argv, argv + argc, [&flag](std::string_view argument) {
          return argument.starts_with(flag) &&
                 HasFlag(argument.substr(0, flag.size() + 1), flag);
        }))
      continue;
    return variable + ": ";
  }
  return "";
}

// Applies an environment variable that has an old name. The new name overrides
// it.
void ApplyOldNames(CLI::App* app) {
  const char* value = getenv("PAGE_FAULT_EXPORTER_MANDATED_ONLY");
  CLI::Option* option = app->get_option("--basic-families-only");
  if (!value || option->count() > 0) return;
  option->add_result(value);
  option->run_callback();
}

void ApplyGroupBy(const std::string& field, std::vector<GroupRule>* groups) {
  if (field.empty()) return;
  if (!groups->empty())
    throw CLI::ValidationError(
        "--group.by", "excludes the list groups of the file: keep one of them");
  groups->push_back(GroupBy(*FieldOf(field)));
}

// With the basic families alone nothing shows the sums by control group and by
// group, which take a quarter of a tick.
void LeaveOutUnshownSums(PipelineSettings* settings) {
  if (!settings->basic_families_only) return;
  settings->max_cgroups = 0;
  settings->groups.clear();
}

TopBy TopByOf(const std::string& text) {
  return text == "comm"     ? TopBy::kComm
         : text == "group"  ? TopBy::kGroup
         : text == "cgroup" ? TopBy::kCgroup
                            : TopBy::kProcess;
}

// Refuses a kind of rows for which there are no sums. Without --top it has no
// effect.
void ApplyTopBy(const std::string& text, Options* options) {
  options->top_table.by = TopByOf(text);
  if (!options->top) return;
  const PipelineSettings& settings = options->pipeline;
  if (options->top_table.by == TopBy::kGroup && settings.groups.empty())
    throw CLI::ValidationError(
        "--top.by",
        "group needs group rules (--group.by, or groups in the file) and "
        "cannot be combined with --basic-families-only");
  if (options->top_table.by == TopBy::kCgroup && settings.max_cgroups == 0)
    throw CLI::ValidationError(
        "--top.by",
        "cgroup needs sums by control group: --cgroups.max is 0, or "
        "--basic-families-only is set");
}

void CheckProfile(const Options& options) {
  if (options.profile_mappings > 0 && !options.profile)
    throw CLI::ValidationError("--profile.mappings", "it takes --profile");
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

ParsedOptions ParseOptions(int argc, const char* const* argv) {
  ParsedOptions parsed;
  RawOptions raw;
  const auto app = MakeApp(&raw);
  try {
    app->parse(argc, argv);
    RefuseExtras(*app);
    RefuseEmptyLists(app.get());
    ApplyOldNames(app.get());
    if (!raw.options.config_file.empty())
      ApplyConfigFile(raw.options.config_file, app.get(),
                      &raw.options.pipeline.groups);
    ApplyGroupBy(raw.group_by, &raw.options.pipeline.groups);
    raw.options.has_group_by = !raw.group_by.empty();
    LeaveOutUnshownSums(&raw.options.pipeline);
    ApplyTopBy(raw.top_by, &raw.options);
    CheckProfile(raw.options);
    raw.options.explain_time = std::chrono::seconds(raw.seconds);
  } catch (const CLI::Success& success) {
    std::ostringstream text;
    app->exit(success, text, text);
    parsed.text = text.str();
    return parsed;
  } catch (const CLI::Error& error) {
    parsed.error = VariableOf(*app, error.what(), argc, argv) + error.what();
    return parsed;
  }
  raw.options.interval = *ParseDuration(raw.interval);
  raw.options.pipeline.birth_hold = *ParseDuration(raw.birth_hold);
  parsed.options = raw.options;
  return parsed;
}

std::vector<std::string> NeedRestart(const Options& before,
                                     const Options& after) {
  std::vector<std::string> keys;
  const auto compare = [&keys](bool same, const char* key) {
    if (!same) keys.emplace_back(key);
  };
  compare(before.source == after.source, "source");
  compare(before.debugfs == after.debugfs, "path.debugfs");
  compare(before.pipeline.procfs == after.pipeline.procfs, "path.procfs");
  compare(before.pipeline.pod_logs == after.pipeline.pod_logs, "path.pod-logs");
  compare(before.pipeline.cgroups == after.pipeline.cgroups, "path.cgroup");
  compare(before.pipeline.cgroups_by_cell == after.pipeline.cgroups_by_cell,
          "cgroups.breakdown");
  compare(before.listen_addresses == after.listen_addresses,
          "web.listen-address");
  compare(before.telemetry_path == after.telemetry_path, "web.telemetry-path");
  compare(before.max_requests == after.max_requests, "web.max-requests");
  compare(before.profile == after.profile, "profile");
  compare(before.profile_mappings == after.profile_mappings,
          "profile.mappings");
  compare(before.profile_remote == after.profile_remote, "profile.remote");
  compare(before.profile_stacks == after.profile_stacks, "profile.stacks");
  compare(before.log_format == after.log_format, "log.format");
  return keys;
}

std::vector<OptionHelp> OptionHelps() {
  RawOptions raw;
  const auto app = MakeApp(&raw);
  std::vector<OptionHelp> helps;
  for (const CLI::Option* option : app->get_options()) {
    OptionHelp& help = helps.emplace_back();
    help.name = option->get_name();
    help.description = option->get_description();
    if (option->get_type_size() == 0) continue;
    help.type = option->get_type_name();
    help.by_default = option->get_default_str();
  }
  return helps;
}

}  // namespace pfe
