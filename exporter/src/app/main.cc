// SPDX-License-Identifier: Apache-2.0
// The program: wiring, signals and exit codes. It exits with 0 after SIGTERM or
// SIGINT; with 1 if it cannot listen, cannot write to stdout or, with
// --once, --top or --explain, cannot read; with 2 for a bad option.
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "app/logging.h"
#include "app/man_page.h"
#include "app/options.h"
#include "app/read_log.h"
#include "base/clock.h"
#include "base/version.h"
#include "group/groups.h"
#include "http/http_server.h"
#include "http/listen_address.h"
#include "http/service.h"
#include "profile/explainer.h"
#include "profile/explanations.h"
#include "profile/profiler.h"
#include "render/top_table.h"
#include "source/auto_source.h"
#include "source/module_source.h"
#include "source/procfs_source.h"
#include "tick/pipeline.h"
#include "tick/poller.h"

namespace pfe {
namespace {

// Each tick notifies systemd's watchdog, so the watchdog's timeout must be at
// least a few intervals.
void TellWatchdog(std::chrono::milliseconds interval) {
  uint64_t usec = 0;
  if (sd_watchdog_enabled(0, &usec) <= 0) return;
  const auto ticks =
      static_cast<uint64_t>(std::chrono::microseconds(3 * interval).count());
  sd_notifyf(0, "WATCHDOG_USEC=%llu",
             static_cast<unsigned long long>(std::max(usec, ticks)));
}

std::unique_ptr<Source> MakeSource(const Options& options) {
  auto module = std::make_unique<ModuleSource>(options.debugfs);
  auto procfs = std::make_unique<ProcfsSource>(options.pipeline.procfs);
  if (options.source == "module") return module;
  if (options.source == "procfs") return procfs;
  return std::make_unique<AutoSource>(std::move(module), std::move(procfs));
}

// Blocks the signals that the main thread waits for. Threads inherit this.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Opens stdin, stdout and stderr if they are closed. Otherwise a file or socket
// could get the descriptor of stderr, and the log would be written into it.
void OpenClosedStreams() {
  int fd;
  do {
    fd = open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd > STDERR_FILENO) close(fd);
}

// Raises the usual limit of 1024 open files. Each connection takes one.
void RaiseFileLimit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

bool Print(const std::string& text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
      std::fflush(stdout) == 0;
  if (!written) spdlog::error("cannot write to stdout");
  return written;
}

// Why the source is not the preferred one; empty if it is.
std::string NoteOf(const View& view) {
  if (!view.reason) return "";
  return "reading the source " + view.source +
         ", because the preferred one cannot be read: " + view.reason->message;
}

void WarnOf(const View& view) {
  if (view.error)
    spdlog::error("cannot read: {}", view.error->message);
  else if (view.reason)
    spdlog::warn("{}", NoteOf(view));
  ReadLog().NoteGaps(view);
}

int PrintOnce(Pipeline* pipeline) {
  const auto view = pipeline->Tick();
  WarnOf(*view);
  return Print(RenderAll(*view)) && !view->error ? 0 : 1;
}

// How many columns stdout has; 0 if it is no terminal or does not say.
size_t TerminalWidth() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// Prints the table once every interval on a terminal, but only once into a
// pipe.
int PrintTop(const Options& options, Pipeline* pipeline) {
  // A signal ends it also while a read hangs.
  for (int number : {SIGTERM, SIGINT, SIGHUP})
    signal(number, [](int) { _exit(0); });
  const bool terminal = isatty(STDOUT_FILENO);
  const auto wait = options.interval.count();
  const timespec pause = {wait / 1000, wait % 1000 * 1000000};
  for (;;) {
    const auto view = pipeline->Tick();
    if (view->error || (!terminal && view->ticks == 1)) WarnOf(*view);
    if (view->error) return 1;
    const std::string table =
        RenderTop(*view, options.top_table, TerminalWidth());
    // The first tick has no rates yet. On a terminal the note is below the
    // table, because the screen is cleared.
    if (terminal && !Print("\x1b[H\x1b[2J" + table + NoteOf(*view))) return 1;
    if (!terminal && view->ticks > 1) return Print(table) ? 0 : 1;
    nanosleep(&pause, nullptr);
  }
}

volatile sig_atomic_t g_ended = 0;

// Where tracefs is mounted: systemd mounts it at the first path, the kernel at
// the other one.
std::string FindTracefs(const std::string& debugfs) {
  const std::string mount = "/sys/kernel/tracing";
  return access((mount + "/events").c_str(), F_OK) == 0 ? mount
                                                        : debugfs + "/tracing";
}

Result<Explanation> Explain(const Options& options,
                            const Explanations::Request& request,
                            const Explainer::IsEnded& is_ended) {
  ExplainSettings settings;
  settings.selector = request.selector;
  settings.time = request.time;
  settings.with_labels = request.with_labels;
  settings.tracefs = FindTracefs(options.debugfs);
  settings.procfs = options.pipeline.procfs;
  settings.cgroups = options.pipeline.cgroups;
  settings.unwinds = options.profile_stacks == "dwarf";
  ModuleSource module(options.debugfs);
  return Explainer(settings).Run(&module, is_ended);
}

int PrintExplanation(const Options& options) {
  for (int number : {SIGTERM, SIGINT, SIGHUP})
    signal(number, [](int) { g_ended = 1; });
  Explanations::Request request;
  request.selector = Selector::Parse(options.explain);
  request.time = options.explain_time;
  const auto explanation =
      Explain(options, request, [] { return g_ended != 0; });
  if (!explanation.ok()) {
    spdlog::error("cannot explain: {}", explanation.error().message);
    return 1;
  }
  return Print(ExplanationText(options.explain, explanation.value())) ? 0 : 1;
}

// How long the start waits for the first tick, and the end for the last one. A
// read of the source may hang.
constexpr std::chrono::seconds kTickLimit{1};
// How long the end waits for the answers to requests.
constexpr std::chrono::seconds kAnswerLimit{7};

// Parses the options, and checks those whose validity depends on the machine.
ParsedOptions ReadOptions(int argc, const char* const* argv) {
  ParsedOptions parsed = ParseOptions(argc, argv);
  if (!parsed.options || parsed.options->config_check) return parsed;
  const PipelineSettings& settings = parsed.options->pipeline;
  const std::string wrong =
      CheckGroupsReadable(settings.groups, settings.procfs);
  if (wrong.empty()) return parsed;
  parsed.error =
      (parsed.options->has_group_by ? "--group.by: " : "groups: ") + wrong;
  parsed.options.reset();
  return parsed;
}

std::unique_ptr<Profiler> MakeProfiler(const Options& options) {
  if (options.profile_mappings == 0) return nullptr;
  ProfilerSettings settings;
  settings.tracefs = FindTracefs(options.debugfs);
  settings.procfs = options.pipeline.procfs;
  settings.max_mappings = options.profile_mappings;
  settings.birth_hold = options.pipeline.birth_hold;
  settings.warn = [](const std::string& problem) {
    spdlog::warn("sampling page faults: {}", problem);
  };
  return std::make_unique<Profiler>(settings);
}

// The running service, and its reactions to signals.
class Daemon {
 public:
  Daemon(int argc, const char* const* argv, const Options& options)
      : argc_(argc),
        argv_(argv),
        options_(options),
        signals_(BlockSignals()),
        source_(MakeSource(options)),
        pipeline_(source_.get(), options.pipeline),
        poller_(&pipeline_, options.interval,
                [this](const View& tick) {
                  log_.Note(tick);
                  sd_notify(0, "WATCHDOG=1");
                }),
        explanations_([this](const Explanations::Request& request,
                             const Explainer::IsEnded& is_ended) {
          return Explain(options_, request, is_ended);
        }),
        profiler_(MakeProfiler(options)),
        service_(&poller_, {options.telemetry_path, options.interval,
                            options.max_requests,
                            options.profile ? &explanations_ : nullptr,
                            profiler_.get(), options.profile_remote}) {
    poller_.AwaitFirstTick(kTickLimit);
    server_.emplace(options.listen_addresses,
                    [this](const HttpRequest& request) {
                      return service_.Answer(request);
                    });
  }

  int Run() {
    for (const std::string& address : server_->Addresses())
      spdlog::info("listening on {}{}{}", address, options_.telemetry_path,
                   address.starts_with("0.0.0.0:") && !HasIpv6()
                       ? ", without IPv6: this build of civetweb has none"
                       : "");
    TellWatchdog(options_.interval);
    sd_notify(0, "READY=1");
    int signal = 0;
    while (sigwait(&signals_, &signal) == 0 && signal == SIGHUP) Reload();
    spdlog::info("ending by signal {}", signal);
    explanations_.EndForGood();
    sd_notify(0, "STOPPING=1");
    const bool has_read = poller_.Stop(kTickLimit);
    if (!has_read)
      spdlog::warn("ending, although reading the source has not ended");
    const bool has_sampled = !profiler_ || profiler_->Stop(kTickLimit);
    if (!has_sampled)
      spdlog::warn(
          "ending, although reading the maps of a process has not ended");
    const bool has_answered = EndServer();
    if (!has_answered)
      spdlog::warn("ending, although a request has no answer yet");
    // Destructors would wait for them. The log has no line to flush, and they
    // may still write to it.
    if (!has_read || !has_sampled || !has_answered) std::_Exit(0);
    return 0;
  }

 private:
  // Waits until the requests under way have their answers. Returns false if one
  // hangs, as when an explanation reads the maps of a process that hangs.
  bool EndServer() {
    std::promise<void> ended;
    const std::future<void> end = ended.get_future();
    std::thread([this, ended = std::move(ended)]() mutable {
      server_.reset();
      ended.set_value();
    }).detach();
    return end.wait_for(kAnswerLimit) == std::future_status::ready;
  }

  void Reload() {
    // So that the module can be unloaded.
    explanations_.End();
    if (profiler_) profiler_->LetGo();
    sd_notifyf(
        0, "RELOADING=1\nMONOTONIC_USEC=%llu",
        static_cast<unsigned long long>(ClockNs(CLOCK_MONOTONIC) / 1000));
    const auto [options, text, error] = ReadOptions(argc_, argv_);
    service_.SetConfigOk(options.has_value());
    if (options) {
      for (const std::string& key : NeedRestart(options_, *options))
        spdlog::warn("{} changes only after a restart", key);
      spdlog::set_level(spdlog::level::from_str(options->log_level));
      PipelineSettings settings = options->pipeline;
      settings.procfs = options_.pipeline.procfs;
      settings.cgroups = options_.pipeline.cgroups;
      settings.cgroups_by_cell = options_.pipeline.cgroups_by_cell;
      poller_.Configure(settings, options->interval);
      service_.SetInterval(options->interval);
      TellWatchdog(options->interval);
      spdlog::info("the configuration was read again");
    } else {
      spdlog::error("the configuration stays as it was: {}", error);
    }
    sd_notify(0, "READY=1");
  }

  const int argc_;
  const char* const* const argv_;
  const Options options_;
  const sigset_t signals_;
  ReadLog log_;
  const std::unique_ptr<Source> source_;
  Pipeline pipeline_;
  Poller poller_;
  Explanations explanations_;
  const std::unique_ptr<Profiler> profiler_;
  Service service_;
  std::optional<HttpServer> server_;
};

int Main(int argc, const char* const* argv) {
  OpenClosedStreams();
  // Without this, each of the many request threads gets a heap of its own.
  mallopt(M_ARENA_MAX, 2);
  // Blocks above this size are always returned to the system when they are
  // freed. Without this, the library raises the threshold when the first such
  // block is freed.
  mallopt(M_MMAP_THRESHOLD, 128 << 10);
  // These settings apply until the options are parsed.
  StartLogging("info", "logfmt");
  if (argc == 2 && std::string_view(argv[1]) == "--man") {
    return Print(ManPage()) ? 0 : 1;
  }
  // If the reader of the log has exited, a write to it must not end the
  // program.
  signal(SIGPIPE, SIG_IGN);
  const auto [options, text, error] = ReadOptions(argc, argv);
  if (!error.empty()) {
    std::cerr << "page_fault_exporter: " << error << "; see --help\n";
    return 2;
  }
  if (!options) return Print(text) ? 0 : 1;
  StartLogging(options->log_level, options->log_format);
  if (options->config_check) {
    return Print("the configuration is good\n") ? 0 : 1;
  }
  if (options->once || options->top) {
    const auto source = MakeSource(*options);
    PipelineSettings settings = options->pipeline;
    settings.count_first = true;
    settings.birth_hold = std::chrono::milliseconds(0);
    Pipeline pipeline(source.get(), settings);
    return options->once ? PrintOnce(&pipeline) : PrintTop(*options, &pipeline);
  }
  RaiseFileLimit();
  if (!options->explain.empty()) return PrintExplanation(*options);
  spdlog::info("page_fault_exporter {}", Version());
  return Daemon(argc, argv, *options).Run();
}

}  // namespace
}  // namespace pfe

int main(int argc, char** argv) {
  try {
    return pfe::Main(argc, argv);
  } catch (const std::exception& error) {
    spdlog::critical("{}", error.what());
    return 1;
  }
}
