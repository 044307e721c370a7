// SPDX-License-Identifier: Apache-2.0
// Renders the families of the host, the module and the exporter itself.
#ifndef EXPORTER_RENDER_SELF_METRICS_H_
#define EXPORTER_RENDER_SELF_METRICS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/mapping_sums.h"
#include "render/view.h"

namespace pfe {

// What is sampled.
struct ProfileNumbers {
  uint64_t samples = 0;
  uint64_t lost = 0;
  // Null if mappings have no sums.
  std::shared_ptr<const MappingSums> mappings;
  bool is_attached = false;  // while there are sums of mappings
};

// What a running service says of itself.
struct ServiceNumbers {
  uint64_t scrapes = 0;
  bool config_ok = true;
  std::optional<ProfileNumbers> profile;
};

// Renders the families as text. With `openmetrics` that is OpenMetrics 1.0,
// without the line that ends it. `service` is null if none runs, as with
// --once: then there are no families of its ticks, requests and process.
std::string RenderSelfMetrics(const View& view, const ServiceNumbers* service,
                              View::Clock::time_point now, bool openmetrics);

}  // namespace pfe

#endif  // EXPORTER_RENDER_SELF_METRICS_H_
