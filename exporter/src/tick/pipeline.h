// SPDX-License-Identifier: Apache-2.0
// What happens in a tick: read, follow, select, render.
//
// For one thread. It alone owns everything that changes from tick to tick, and
// gives an immutable View to the others.
#ifndef EXPORTER_TICK_PIPELINE_H_
#define EXPORTER_TICK_PIPELINE_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/recycler.h"
#include "follow/follower.h"
#include "follow/history.h"
#include "follow/selection.h"
#include "group/groups.h"
#include "group/rules.h"
#include "render/exposition.h"
#include "render/view.h"
#include "source/cgroups.h"
#include "source/source.h"
#include "tick/boot_moment.h"

namespace pfe {

// Settings that can be changed between ticks, except where it says otherwise.
struct PipelineSettings {
  SelectionRules selection;
  size_t max_comms = 1000;
  size_t max_cgroups = 200;                     // 0: no sums by control group
  bool cgroups_by_cell = false;                 // cannot be changed
  std::chrono::milliseconds birth_hold{60000};  // see Births
  std::vector<GroupRule> groups;  // good ones; empty: no sums by group
  size_t max_groups = 200;
  bool containers = false;
  bool basic_families_only = false;
  bool created = false;          // _created of counters by comm, in OpenMetrics
  bool count_first = false;      // see Follower; cannot be changed
  std::string procfs = "/proc";  // cannot be changed
  std::string cgroups = "/sys/fs/cgroup";  // where they are mounted; likewise
  std::string pod_logs = "/var/log";       // see PodNames; likewise
};

class Pipeline {
 public:
  // `source` must outlive it.
  Pipeline(Source* source, const PipelineSettings& settings);

  void Configure(const PipelineSettings& settings);
  // Reads the source and makes a view. Texts are made in `forms`; another form
  // is made at its first use. Errors are reported in the view, lack of memory
  // included. The next tick then continues from the last good one. Throws only
  // if there is no memory even for a view without processes.
  std::shared_ptr<const View> Tick(const Forms& forms = {});

 private:
  std::shared_ptr<View> Begin() const;
  void Read(const Forms& forms, View* next);
  std::optional<Error> TakeOver(std::shared_ptr<Rows> rows, const Forms& forms,
                                View* next);
  void FindCgroupsOfSums();
  void ShowCgroups(View* next) const;
  void NameGroups(const ProcessTable& processes);
  void ShowGroups(View* next) const;
  void Render(const Forms& forms, View* next);
  void GiveUp(Error error, View* next);

  Source* const source_;
  PipelineSettings settings_;
  Snapshot snapshot_;  // filled again each tick
  Recycler<Rows> recycler_;
  Follower follower_;
  Selection selection_;
  Cgroups cgroups_;
  std::shared_ptr<const CgroupsOfSums> cgroups_of_sums_ =
      std::make_shared<const CgroupsOfSums>();
  Groups groups_;
  RowNames group_names_;
  History history_;
  Renderer renderer_;
  BootMoment boot_;
  std::shared_ptr<const View> last_ = std::make_shared<const View>();
};

}  // namespace pfe

#endif  // EXPORTER_TICK_PIPELINE_H_
