// SPDX-License-Identifier: Apache-2.0
#include "app/flags.h"

#include <CLI/CLI.hpp>
#include <cctype>

#include "app/option_checks.h"
#include "base/version.h"
#include "http/http_server.h"
#include "http/listen_address.h"

namespace pfe {
namespace {

void AddSourceOptions(CLI::App* app, RawOptions* raw) {
  app->add_option("--interval", raw->interval,
                  "How often the source is read; Prometheus's scrape interval "
                  "should be a multiple of it")
      ->check(CheckInterval)
      ->type_name("DURATION");
  app->add_option("--source", raw->options.source,
                  "Where values come from. module: the kernel module; procfs: "
                  "/proc; auto: the module, or /proc while it cannot be read")
      ->check(CLI::IsMember({"auto", "module", "procfs"}));
  app->add_option("--path.debugfs", raw->options.debugfs,
                  "Where debugfs is mounted")
      ->type_name("DIRECTORY");
  app->add_option("--path.procfs", raw->options.pipeline.procfs,
                  "Where procfs is mounted")
      ->type_name("DIRECTORY");
  app->add_option("--path.cgroup", raw->options.pipeline.cgroups,
                  "Where the host's control groups are mounted: the ids of the "
                  "module's table become paths there")
      ->type_name("DIRECTORY");
  app->add_option("--path.pod-logs", raw->options.pipeline.pod_logs,
                  "Where the kubelet's directories pods and containers are: "
                  "names of pods and containers come from the names of the "
                  "files in them")
      ->type_name("DIRECTORY");
}

void AddProcessOptions(CLI::App* app, PipelineSettings* settings) {
  SelectionRules* rules = &settings->selection;
  app->add_option(
         "--processes.max", rules->max,
         "The most processes that have series of their own: those with "
         "the highest rate of faults in the last seconds, then those with the "
         "largest RSS")
      ->check(CheckDecimal)
      ->check(CLI::Range(size_t{1}, size_t{10000000}));
  app->add_option("--processes.include", rules->include,
                  "Only comms that match this RE2 expression as a whole have "
                  "series by pid")
      ->check(CheckExpression)
      ->type_name("REGEX");
  app->add_option("--processes.exclude", rules->exclude,
                  "Comms that match this RE2 expression as a whole have no "
                  "series by pid")
      ->check(CheckExpression)
      ->type_name("REGEX");
  app->add_option("--processes.min-faults", rules->min_faults,
                  "Processes with fewer faults have no series by pid")
      ->check(CheckDecimal)
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 53));
  app->add_option("--processes.breakdown", rules->breakdown,
                  "The most processes that have series by severity, access "
                  "and kind")
      ->check(CheckDecimal)
      ->check(CLI::Range(size_t{0}, size_t{100000}));
  app->add_flag("--no-pid", rules->no_pid, "No series by pid at all");
  app->add_option("--comms.max", settings->max_comms,
                  "The most comms that have series of their own; the rest "
                  "share \"other\"")
      ->check(CheckDecimal)
      ->check(CLI::Range(size_t{1}, size_t{1000000}));
  app->add_flag("--basic-families-only,--mandated-only",
                settings->basic_families_only,
                "Serve only page_faults_total, vma_bytes and rss_bytes of "
                "processes, and nothing by comm, control group or group; "
                "--mandated-only is the old name");
  app->add_flag("--containers", settings->containers,
                "Also serve the control group, unit, namespace, pod and "
                "container of processes (page_fault_process_info)");
}

void AddCgroupOptions(CLI::App* app, PipelineSettings* settings) {
  app->add_option("--cgroups.max", settings->max_cgroups,
                  "The most control groups that have series of their own; the "
                  "rest share \"other\"; 0: no series by control group")
      ->check(CheckDecimal)
      ->check(CLI::Range(size_t{0}, size_t{1000000}));
  app->add_flag("--cgroups.breakdown", settings->cgroups_by_cell,
                "The faults of control groups are also by access and kind, as "
                "those of comms are");
}

void AddGroupOptions(CLI::App* app, RawOptions* raw) {
  app->add_option("--group.by", raw->group_by,
                  "Also serve sums by group (page_fault_group_*): processes "
                  "with the same comm, exe, unit, user or cgroup are a group; "
                  "the list groups in the file has rules instead")
      ->check(CLI::IsMember({"comm", "exe", "unit", "user", "cgroup"}))
      ->type_name("FIELD");
  app->add_option("--groups.max", raw->options.pipeline.max_groups,
                  "The most groups that have series of their own; the rest "
                  "share \"other\"")
      ->check(CheckDecimal)
      ->check(CLI::Range(size_t{1}, size_t{1000000}));
}

void AddBirthOptions(CLI::App* app, RawOptions* raw) {
  app->add_option(
         "--birth.hold", raw->birth_hold,
         "For how long a new series by comm, control group or group stays "
         "at 0 before it shows its faults, so that Prometheus sees them as an "
         "increase: at least the longest scrape interval; 0s shows "
         "them at once")
      ->check(CheckBirthHold)
      ->type_name("DURATION");
  app->add_flag("--openmetrics.created", raw->options.pipeline.created,
                "Serve in OpenMetrics since when counters by comm, control "
                "group and group count (_created); Prometheus stores that as "
                "series unless it is told to read it as the start of the "
                "counter");
}

void AddWebOptions(CLI::App* app, Options* options) {
  app->add_option("--web.listen-address", options->listen_addresses,
                  std::string("Address to listen on, HOST:PORT or :PORT, which "
                              "is every address") +
                      (HasIpv6() ? "" : " of IPv4: this build has no IPv6") +
                      "; repeatable, or a list with commas")
      ->check(CheckAddress)
      ->type_name("ADDRESS")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->delimiter(',')  // in the environment it cannot be repeated
      ->allow_extra_args(false);
  app->add_option("--web.telemetry-path", options->telemetry_path,
                  "Path of the metrics")
      ->check(CheckTelemetryPath)
      ->type_name("PATH");
  app->add_option("--web.max-requests", options->max_requests,
                  "The most requests for metrics or the API whose answers are "
                  "made at the same time; 0 is no limit besides the number of "
                  "threads, " +
                      std::to_string(kHttpThreads))
      ->check(CheckDecimal)
      ->check(CLI::Range(0, kHttpThreads));
}

void AddProfileOptions(CLI::App* app, Options* options) {
  app->add_flag("--profile", options->profile,
                "Say on request where faults come from (/api/v1/explain); "
                "takes CAP_PERFMON and CAP_SYS_PTRACE");
  app->add_option(
         "--profile.mappings", options->profile_mappings,
         "Sample all the time, and serve sums of so many mappings (comm "
         "and file, or [heap] and the like); the others share the "
         "bucket `other`. 0: none; else it takes --profile")
      ->check(CheckDecimal)
      ->check(CLI::Range(0, 10000));
  app->add_flag("--profile.remote", options->profile_remote,
                "Answer such requests of other machines too, not of this one "
                "alone");
  app->add_option("--profile.stacks", options->profile_stacks,
                  "How these and --explain find callers: by frame pointers "
                  "(fp), or, for programs without them, in copies of stacks "
                  "(dwarf), of which fewer can be taken")
      ->check(CLI::IsMember({"fp", "dwarf"}));
}

void AddLogOptions(CLI::App* app, Options* options) {
  app->add_option("--log.level", options->log_level,
                  "The lowest level of messages that are logged")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  app->add_option("--log.format", options->log_format, "Format of the log")
      ->check(CLI::IsMember({"logfmt", "json"}));
}

void AddModes(CLI::App* app, RawOptions* raw) {
  Options* options = &raw->options;
  app->add_option("--config.file", options->config_file,
                  "JSON file with more options; read again on SIGHUP")
      ->type_name("FILE");
  app->add_flag("--config.check", options->config_check,
                "Check the options and the file, and exit");
  app->add_flag("--once", options->once,
                "Read once, print the metrics to stdout, and exit");
  app->add_option_function<std::string>(
         "--top",
         [options](const std::string& rows) {
           options->top = true;
           options->top_table.rows =
               rows.empty() ? TopSettings().rows : std::stoul(rows);
         },
         "Show the N busiest processes (20); a terminal is refreshed every "
         "interval")
      ->expected(0, 1)
      ->check(CheckRows)
      ->type_name("N");
  app->add_option("--top.by", raw->top_by,
                  "What a row of --top is: a process, or all processes of one "
                  "comm, group of rules or control group")
      ->check(CLI::IsMember({"process", "comm", "group", "cgroup"}))
      ->type_name("WHAT");
  app->add_option("--top.filter", options->top_table.filter,
                  "--top shows only names that contain a match of this RE2 "
                  "expression: comms, groups, or the pods, units and paths of "
                  "control groups")
      ->check(CheckExpression)
      ->type_name("REGEX");
}

void AddExplainOptions(CLI::App* app, RawOptions* raw) {
  app->add_option("--explain", raw->options.explain,
                  "Say where faults come from, and exit: samples the faults of "
                  "a comm, a pid, or a control group (a path), and prints the "
                  "files, functions and call paths that have the most")
      ->type_name("COMM|PID|CGROUP");
  app->add_option("--seconds", raw->seconds,
                  "How long --explain samples; a signal ends it before")
      ->check(CheckDecimal)
      ->check(CLI::Range(1, 3600));
}

std::string EnvironmentName(std::string name) {
  for (char& c : name)
    c = c == '.' || c == '-'
            ? '_'
            : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return "PAGE_FAULT_EXPORTER_" + name;
}

}  // namespace

std::unique_ptr<CLI::App> MakeApp(RawOptions* raw) {
  auto app =
      std::make_unique<CLI::App>(kProgramDescription, "page_fault_exporter");
  // If a flag is given twice, the last one counts. That way a systemd unit's
  // flags can be extended.
  app->option_defaults()->always_capture_default()->multi_option_policy(
      CLI::MultiOptionPolicy::TakeLast);
  app->set_version_flag("--version",
                        std::string("page_fault_exporter ") + Version());
  app->allow_extras();  // RefuseExtras() says more than the library does
  AddSourceOptions(app.get(), raw);
  AddProcessOptions(app.get(), &raw->options.pipeline);
  AddCgroupOptions(app.get(), &raw->options.pipeline);
  AddGroupOptions(app.get(), raw);
  AddBirthOptions(app.get(), raw);
  AddWebOptions(app.get(), &raw->options);
  AddProfileOptions(app.get(), &raw->options);
  AddLogOptions(app.get(), &raw->options);
  AddModes(app.get(), raw);
  AddExplainOptions(app.get(), raw);
  for (CLI::Option* option : app->get_options()) {
    const std::string name = option->get_single_name();
    if (name != "help" && name != "version")
      option->envname(EnvironmentName(name));
  }
  return app;
}

}  // namespace pfe
