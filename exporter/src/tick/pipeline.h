// SPDX-License-Identifier: Apache-2.0
// What happens in a tick: read, follow, select, render, compress.
//
// Thread safety: Tick() and Configure() may be called by one thread while
// others call Look().
#ifndef EXPORTER_TICK_PIPELINE_H_
#define EXPORTER_TICK_PIPELINE_H_

#include <functional>
#include <mutex>
#include <string>

#include "follow/history.h"
#include "follow/selection.h"
#include "follow/tracker.h"
#include "render/exposition.h"
#include "render/publication.h"
#include "source/cgroup_cache.h"
#include "source/source.h"
#include "tick/boot_moment.h"

namespace pfe {

// What can be changed while it runs.
struct PipelineSettings {
  SelectionRules selection;
  size_t max_comms = 1000;
  bool containers = false;
  bool mandated_only = false;
  bool count_first = false;  // see Tracker; cannot be changed
  std::string procfs = "/proc";
};

class Pipeline {
 public:
  // `source` must outlive it.
  Pipeline(Source* source, const PipelineSettings& settings);

  void Configure(const PipelineSettings& settings);
  // Reads and renders. `previous` is what the last call returned, empty for the
  // first one; other forms than those of `forms` are made at their first use.
  Publication Tick(const Publication& previous, const Forms& forms = {});

  // Calls `look` while nothing changes.
  using Looker =
      std::function<void(const Tracker&, const History&, const CgroupCache&)>;
  void Look(const Looker& look) const;

 private:
  void Use(const Publication& previous, const Forms& forms, Publication* next);

  Source* const source_;
  Snapshot snapshot_;  // of the ticking thread: filled again each tick
  // Taken before mutex_ by those who look, so that a tick waits for one of them
  // at most.
  mutable std::mutex lookers_;
  mutable std::mutex mutex_;
  PipelineSettings settings_;  // mutex_, as all below
  Tracker tracker_;
  Selection selection_;
  CgroupCache cgroups_;
  History history_;
  Renderer renderer_;
  BootMoment boot_;
};

}  // namespace pfe

#endif  // EXPORTER_TICK_PIPELINE_H_
