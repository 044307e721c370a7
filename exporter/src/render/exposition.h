// SPDX-License-Identifier: Apache-2.0
// Renders the families of processes, and of sums by comm, control group and
// group, in Prometheus's text format (0.0.4), whose sample lines are those of
// OpenMetrics 1.0 too. They are rendered by hand because this is the hot path:
// each family is rendered once a tick, and a scrape only hands the bytes out.
// With one prometheus-cpp Gauge for each label set, a tick of 10,000 processes
// took 30 times as long and a scrape a hundred times. A test compares the text
// with that of prometheus-cpp's serializer.
//
// A family whose values did not change since the last tick is not rendered
// again.
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

using CgroupsOfSums = std::vector<std::shared_ptr<const Cgroup>>;

struct ExpositionInput {
  const Rows* rows = nullptr;
  const Sums::All* comms = nullptr;
  const Sums::All* cgroup_sums = nullptr;  // null: no families by cgroup
  // By the index of the sums: the group that has their name, or null.
  const CgroupsOfSums* cgroups_of_sums = nullptr;
  bool cgroup_sums_by_cell = false;
  const Sums::All* groups = nullptr;  // null: no families by group
  const Changes* changes = nullptr;   // since `previous`, see Render()
  const Selection* selection = nullptr;
  const CgroupTable* cgroups = nullptr;  // null: no page_fault_process_info
  bool cgroups_changed = false;          // since `previous`
  Offered offered;
  uint64_t boot_unix_ns = 0;  // when the machine booted
  bool boot_moved = false;    // boot_unix_ns differs from the tick before
  // Only page_faults_total, vma_bytes and rss_bytes.
  bool basic_families_only = false;
  bool created = false;  // counters by comm have _created in OpenMetrics
  Forms forms;
};

// The samples of one family, without its head.
struct RenderedFamily {
  Metric metric;
  std::shared_ptr<const RenderedText> samples;
  // The samples in OpenMetrics, if they are others there: with _created.
  std::shared_ptr<const RenderedText> openmetrics;
};
using RenderedFamilies = std::vector<RenderedFamily>;

// What is kept from tick to tick, so that it is allocated once.
struct RenderBuffers {
  Compressor compressor;
  SampleWriter labels, lines;
  std::vector<uint32_t> label_ends;
};

// For one thread.
class Renderer {
 public:
  // Returns the families that are offered and have samples. `previous` are the
  // families of the tick before, empty if there were none: a family whose
  // values did not change is taken from there with its compressed form.
  RenderedFamilies Render(const ExpositionInput& input,
                          const RenderedFamilies& previous);

 private:
  RenderBuffers buffers_;
};

// The head of a family, rendered once.
const RenderedText& HeadText(Metric metric, bool openmetrics);

}  // namespace pfe

#endif  // EXPORTER_RENDER_EXPOSITION_H_
