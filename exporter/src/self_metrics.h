// SPDX-License-Identifier: Apache-2.0
// The exporter's and the module's own health as metrics, by prometheus-cpp.
// Built from a publication when it is asked for; there are a few dozen.
#ifndef EXPORTER_SELF_METRICS_H_
#define EXPORTER_SELF_METRICS_H_

#include <chrono>
#include <string>

#include "publication.h"

namespace pfe {

// In the text format 0.0.4. `now` is what ages are measured to.
std::string RenderSelfMetrics(const Publication& publication,
                              Publication::Clock::time_point now);

// The exporter's version.
const char* Version();

}  // namespace pfe

#endif  // EXPORTER_SELF_METRICS_H_
