// SPDX-License-Identifier: Apache-2.0
// What happens in a tick: read, follow, select, render, compress.
//
// Thread safety: Tick() and Configure() may be called by one thread while
// others call Look().
#ifndef EXPORTER_PIPELINE_H_
#define EXPORTER_PIPELINE_H_

#include <functional>
#include <mutex>
#include <string>

#include "history.h"
#include "publication.h"
#include "selection.h"
#include "source.h"
#include "tracker.h"

namespace pfe {

// What can be changed while it runs.
struct PipelineSettings {
  SelectionRules selection;
  size_t breakdown = 50;  // processes with a breakdown of their own
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
  // Reads and renders. `previous` is the tick before; `compress` asks for the
  // compressed texts now rather than at their first use.
  Publication Tick(const Publication& previous, bool compress);

  // Calls `look` while nothing changes.
  using Looker = std::function<void(const Tracker&, const History&)>;
  void Look(const Looker& look) const;

 private:
  void Use(Snapshot snapshot, const Publication& previous, Publication* next);
  void ReadCgroups();
  uint64_t BootUnixNs();

  Source* const source_;
  // Taken before mutex_ by those who look, so that a tick waits for one of them
  // at most.
  mutable std::mutex lookers_;
  mutable std::mutex mutex_;
  PipelineSettings settings_;  // mutex_, as all below
  Tracker tracker_;
  Selection selection_;
  History history_;
  uint64_t boot_unix_ns_ = 0;
};

}  // namespace pfe

#endif  // EXPORTER_PIPELINE_H_
