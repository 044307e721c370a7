// SPDX-License-Identifier: Apache-2.0
// The families of processes and comms in Prometheus's text format (0.0.4),
// whose sample lines are those of OpenMetrics 1.0 too.
//
// By hand since it is the hot path: each family is rendered once a tick, and a
// scrape hands the bytes out. One prometheus-cpp Gauge a label set took 30
// times as long a tick at 10,000 processes, and a hundred times as long a
// scrape; a test compares the text with prometheus-cpp's serializer.
#ifndef EXPORTER_RENDER_EXPOSITION_H_
#define EXPORTER_RENDER_EXPOSITION_H_

#include <memory>
#include <vector>

#include "base/snapshot.h"
#include "follow/rows.h"
#include "follow/selection.h"
#include "follow/sums.h"
#include "render/catalogue.h"
#include "render/rendered_text.h"
#include "render/sample_writer.h"
#include "source/cgroup_cache.h"

namespace pfe {

struct ExpositionInput {
  const Rows* rows = nullptr;
  const Sums::Comms* comms = nullptr;
  const Changes* changes = nullptr;  // since `previous`, see Render()
  const Selection* selection = nullptr;
  const CgroupCache* cgroups = nullptr;  // null: without their family
  Offered offered;
  uint64_t boot_unix_ns = 0;         // when the machine booted
  bool boot_moved = false;           // another time than in the tick before
  bool basic_families_only = false;  // the three families without a prefix
  Forms forms;
};

// The samples of one family, without its head.
struct RenderedFamily {
  Metric metric;
  std::shared_ptr<const RenderedText> samples;
};
using RenderedFamilies = std::vector<RenderedFamily>;

// Renders families. Keeps its buffers from tick to tick; for one thread.
class Renderer {
 public:
  // Those that are offered and have samples. `previous` are those of the tick
  // before, empty if there were none: a family whose values are all the same is
  // taken from there, rendered and compressed.
  RenderedFamilies Render(const ExpositionInput& input,
                          const RenderedFamilies& previous);

 private:
  friend class Rendering;
  Compressor compressor_;
  SampleWriter labels_, lines_;
  std::vector<uint32_t> label_ends_;
};

// A family's head, from a cache.
const RenderedText& HeadText(Metric metric, bool openmetrics);

}  // namespace pfe

#endif  // EXPORTER_RENDER_EXPOSITION_H_
