// SPDX-License-Identifier: Apache-2.0
// Renders the families of the host, the module and the exporter itself.
#ifndef EXPORTER_RENDER_SELF_METRICS_H_
#define EXPORTER_RENDER_SELF_METRICS_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "render/view.h"

namespace pfe {

// What the threads that answer requests count.
struct RequestCounters {
  std::atomic<uint64_t> scrapes = 0;
  std::atomic<bool> config_ok = true;
  std::atomic<bool> profiles = false;  // whether there are explanations
  std::atomic<uint64_t> profile_samples = 0;
  std::atomic<uint64_t> profile_lost = 0;
};

// Renders the families as text. With `openmetrics` that is OpenMetrics 1.0,
// without the line that ends it. `service` is null if none runs, as with
// --once: then there are no families of its ticks, requests and process.
std::string RenderSelfMetrics(const View& view, const RequestCounters* service,
                              View::Clock::time_point now, bool openmetrics);

}  // namespace pfe

#endif  // EXPORTER_RENDER_SELF_METRICS_H_
