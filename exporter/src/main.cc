// SPDX-License-Identifier: Apache-2.0
// Wiring, signals, exit codes: 0 after SIGTERM or SIGINT, 1 if it cannot
// listen or, with --once, cannot read; 2 for a bad option.
#include <signal.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "http_server.h"
#include "logging.h"
#include "module_source.h"
#include "options.h"
#include "poller.h"
#include "self_metrics.h"
#include "service.h"

namespace pfe {
namespace {

// A snapshot is stale when this many reads in a row have failed.
constexpr int kStaleIntervals = 3;

// Blocks the signals that end the program in every thread; WaitForSignal()
// takes them.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

int WaitForSignal(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  return signal;
}

int PrintOnce(ModuleSource* source) {
  const Publication publication = Publish(source, Publication());
  if (publication.error)
    spdlog::error("cannot read: {}", publication.error->message);
  const std::string text = RenderAll(publication);
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
      std::fflush(stdout) == 0;
  if (!written) spdlog::error("cannot write to stdout");
  return publication.error || !written ? 1 : 0;
}

int Serve(const Options& options, ModuleSource* source) {
  const sigset_t signals = BlockSignals();
  ReadLog log;
  Poller poller(source, options.interval, [&log](const Publication& tick) {
    log.Note(tick);
    sd_notify(0, "WATCHDOG=1");
  });
  const Service service([&poller] { return poller.Current(); },
                        options.telemetry_path,
                        options.interval * kStaleIntervals);
  const HttpServer server(
      options.listen_addresses,
      [&service](const HttpRequest& request) { return service.Answer(request); });
  for (const std::string& address : options.listen_addresses)
    spdlog::info("listening on {}{}", address, options.telemetry_path);
  sd_notify(0, "READY=1");
  spdlog::info("ending by signal {}", WaitForSignal(signals));
  sd_notify(0, "STOPPING=1");
  return 0;
}

int Main(int argc, const char* const* argv) {
  int exit_code = 0;
  const std::optional<Options> options = ParseOptions(argc, argv, &exit_code);
  if (!options) return exit_code;
  StartLogging(options->log_level, options->log_format);
  ModuleSource source(options->debugfs);
  if (options->once) return PrintOnce(&source);
  spdlog::info("page_fault_exporter {}", Version());
  return Serve(*options, &source);
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
