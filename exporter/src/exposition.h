// SPDX-License-Identifier: Apache-2.0
// The families of processes and comms in Prometheus's text format (0.0.4), whose
// sample lines are those of OpenMetrics 1.0 too.
//
// By hand since it is the hot path: each family is rendered once a tick into
// one buffer, and a scrape hands the bytes out. One prometheus-cpp Gauge a label
// set took 30 times as long a tick at 10,000 processes, and a hundred times as
// long a scrape; a test compares the text with prometheus-cpp's serializer.
#ifndef EXPORTER_EXPOSITION_H_
#define EXPORTER_EXPOSITION_H_

#include <memory>
#include <string>
#include <vector>

#include "catalogue.h"
#include "rendered_text.h"
#include "snapshot.h"
#include "tracker.h"

namespace pfe {

struct ExpositionInput {
  std::vector<const Tracked*> selected;  // one a pid
  std::vector<const Tracked*> busiest;   // with a breakdown of their own
  const std::vector<CommSums>* comms = nullptr;
  Offered offered;
  uint64_t boot_unix_ns = 0;  // when the machine booted
  bool containers = false;
  bool mandated_only = false;  // the three families without a prefix
};

// The samples of one family, without its head.
struct RenderedFamily {
  Metric metric;
  std::shared_ptr<const RenderedText> samples;
};
using RenderedFamilies = std::vector<RenderedFamily>;

// Renders the families that are offered and have samples. A family with the
// bytes it had in `previous` shares them, compressed ones included.
RenderedFamilies Render(const ExpositionInput& input,
                        const RenderedFamilies& previous);

// A family's head, from a cache.
const RenderedText& HeadText(Metric metric, bool openmetrics);

}  // namespace pfe

#endif  // EXPORTER_EXPOSITION_H_
