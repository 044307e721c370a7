// SPDX-License-Identifier: Apache-2.0
// Answers each path. It knows nothing of sockets.
#ifndef EXPORTER_HTTP_SERVICE_H_
#define EXPORTER_HTTP_SERVICE_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "http/message.h"
#include "http/negotiation.h"
#include "profile/explanations.h"
#include "profile/profiler.h"
#include "render/self_metrics.h"
#include "render/view.h"
#include "tick/poller.h"

namespace pfe {

struct ServiceSettings {
  std::string telemetry_path = "/metrics";
  std::chrono::milliseconds interval{5000};
  int max_requests = 40;                 // at once; 0: no limit
  Explanations* explanations = nullptr;  // null: explains nothing
  const Profiler* profiler = nullptr;    // null: mappings have no sums
  bool explains_remote = false;  // else only to requests of this machine
};

class Service {
 public:
  // `poller`, and what the settings point at, must outlive it.
  Service(Poller* poller, const ServiceSettings& settings);

  // Thread safe.
  HttpResponse Answer(const HttpRequest& request);
  // Thread safe. A snapshot that is older than three intervals makes /-/ready
  // fail; a tick that takes as long, and at least 10 s, makes /-/healthy fail.
  void SetInterval(std::chrono::milliseconds interval) {
    interval_ms_ = interval.count();
  }
  void SetConfigOk(bool ok) { config_ok_ = ok; }

 private:
  HttpResponse Explain(const HttpRequest& request) const;
  HttpResponse Limited(const HttpRequest& request);
  HttpResponse Metrics(const HttpRequest& request);
  ServiceNumbers Numbers() const;
  HttpResponse RenderMetrics(Format format, bool gzip);
  HttpResponse Healthy() const;
  HttpResponse Ready() const;

  Poller* const poller_;
  const ServiceSettings settings_;
  std::atomic<uint64_t> scrapes_ = 0;
  std::atomic<bool> config_ok_ = true;
  std::atomic<int64_t> interval_ms_;
  std::atomic<int> in_flight_ = 0;
};

// The exposition as one text, for --once. It has nothing of a running service:
// in a textfile of node_exporter process_* would conflict with those of
// node_exporter itself, and the rest would stand still.
std::string RenderAll(const View& view);

}  // namespace pfe

#endif  // EXPORTER_HTTP_SERVICE_H_
