// SPDX-License-Identifier: Apache-2.0
// What happens in a tick: read, follow, select, render.
//
// For one thread, which alone owns everything that changes from tick to tick.
// What it hands out is an immutable View.
#ifndef EXPORTER_TICK_PIPELINE_H_
#define EXPORTER_TICK_PIPELINE_H_

#include <memory>
#include <string>

#include "base/recycler.h"
#include "follow/follower.h"
#include "follow/history.h"
#include "follow/selection.h"
#include "render/exposition.h"
#include "render/view.h"
#include "source/cgroup_cache.h"
#include "source/source.h"
#include "tick/boot_moment.h"

namespace pfe {

// What can be changed while it runs.
struct PipelineSettings {
  SelectionRules selection;
  size_t max_comms = 1000;
  bool containers = false;
  bool basic_families_only = false;
  bool count_first = false;  // see Follower; cannot be changed
  std::string procfs = "/proc";
};

class Pipeline {
 public:
  // `source` must outlive it.
  Pipeline(Source* source, const PipelineSettings& settings);

  // For the ticks that follow.
  void Configure(const PipelineSettings& settings);
  // Reads the source and makes a view. Texts are made in `forms`; another form
  // is made at its first use. What goes wrong is in the view, also when there
  // is not enough memory; the next tick begins where the last good one ended.
  // Throws only if there is no memory for a view without processes.
  std::shared_ptr<const View> Tick(const Forms& forms = {});

 private:
  std::shared_ptr<View> Begin() const;
  void Read(const Forms& forms, View* next);
  void TakeOver(std::shared_ptr<Rows> rows, const Forms& forms, View* next);
  void Render(const Forms& forms, View* next);
  void GiveUp(Error error, View* next);

  Source* const source_;
  PipelineSettings settings_;
  Snapshot snapshot_;  // filled again each tick
  Recycler<Rows> recycler_;
  Follower follower_;
  Selection selection_;
  CgroupCache cgroups_;
  History history_;
  Renderer renderer_;
  BootMoment boot_;
  std::shared_ptr<const View> last_ = std::make_shared<const View>();
};

}  // namespace pfe

#endif  // EXPORTER_TICK_PIPELINE_H_
