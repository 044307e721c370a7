// SPDX-License-Identifier: Apache-2.0
// The families of the host, the module and the exporter itself, by
// prometheus-cpp.
#ifndef EXPORTER_RENDER_SELF_METRICS_H_
#define EXPORTER_RENDER_SELF_METRICS_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "render/view.h"

namespace pfe {

// What requests count; shared by threads.
struct RequestCounters {
  std::atomic<uint64_t> scrapes = 0;
  std::atomic<bool> config_ok = true;
};

// Renders them as text; with `openmetrics` in OpenMetrics 1.0, without its end.
std::string RenderSelfMetrics(const View& view, const RequestCounters& requests,
                              View::Clock::time_point now, bool openmetrics);

}  // namespace pfe

#endif  // EXPORTER_RENDER_SELF_METRICS_H_
