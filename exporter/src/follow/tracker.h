// SPDX-License-Identifier: Apache-2.0
// What the processes of successive snapshots have done: values that go on when
// the source changes, growth, and sums by comm that keep those that exited.
//
// For one thread.
//
// Invariants
//  1. A process is (pid, start); its counters never fall while it is there. In
//     a new epoch (another source, or the module loaded anew) they go on from
//     where they were by growth only.
//  2. Each fault of a process is added once, to the comm the process had in the
//     tick that saw it. A process that is met for the first time adds all it
//     has counted, but in a new epoch only if it is younger than the last tick:
//     what an older one did was seen before, or never will be. Sums begin with
//     the first tick.
//  3. The rows of a tick are the snapshot's own, in its order; those of the
//  tick
//     before go back to be filled again. Nothing is allocated for a row.
#ifndef EXPORTER_FOLLOW_TRACKER_H_
#define EXPORTER_FOLLOW_TRACKER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/snapshot.h"
#include "follow/identity_index.h"

namespace pfe {

struct Counters {
  uint64_t faults = 0;
  uint64_t minor = 0;
  uint64_t major = 0;
  uint64_t stall_ns = 0;
};

// What is known of a process besides its row.
struct Tracked {
  // What the source's values are short of the exported ones, modulo 2^64; only
  // after a change of epoch.
  struct Short {
    Counters counters;
    Breakdown breakdown{};
  };

  Counters growth;        // in the last tick
  float recent = 0;       // faults of late: growth that fades by a fifth a tick
  uint32_t comm = 0;      // index into Tracker::comms()
  bool selected = false;  // has series of its own: see selection.h
  bool broken_down = false;  // and some by breakdown
  bool renamed = false;      // has another comm than in the tick before
  std::unique_ptr<Short> is_short;
};

// The sums of one comm, of exited processes too.
struct CommSums {
  std::string comm;
  Counters counters;
  Counters growth;  // in the last tick
  // Faults by breakdown; what had none is in `plain`, by severity.
  Breakdown breakdown{};
  std::array<uint64_t, kSeverities> plain{};
  uint64_t processes = 0;  // live ones
  uint64_t vma_kb = 0;
  uint64_t rss_kb = 0;
  uint64_t active_tick = 0;  // the last in which it had a process
};

// What of the processes' values differs from the tick before, at all.
struct Changes {
  bool all = true;    // a new epoch
  bool rows = false;  // processes came, went, exited or were renamed
  bool selected_gone =
      false;  // one with series of its own is not there any more
  bool counters = false;
  bool vma = false;
  bool rss = false;
  bool rss_split = false;
  bool swap = false;
};

class Tracker {
 public:
  // The bucket of comms beyond the cap.
  static constexpr uint32_t kOther = 0;

  // `count_first` has the sums by comm begin with what the first snapshot says
  // of its processes. A service must not: after its restart the sums would
  // begin with some of what they were, which reads as a spike.
  Tracker(size_t max_comms, bool count_first);

  // Takes the next snapshot. Its processes are exchanged for those of the tick
  // before, its stats and latency moved from.
  void Update(Snapshot* snapshot);
  void set_max_comms(size_t max_comms) { max_comms_ = max_comms; }

  // Live processes and those that exited of late, with the exported values; by
  // the same index, what else is known of them.
  const ProcessTable& processes() const { return processes_; }
  const std::vector<Tracked>& tracked() const { return tracked_; }
  std::vector<Tracked>& tracked() { return tracked_; }
  const Changes& changes() const { return changes_; }
  // Element kOther is the bucket; empty names are free places.
  const std::vector<CommSums>& comms() const { return comms_; }
  // Comms that share the bucket now.
  size_t comms_omitted() const { return omitted_.size(); }
  // Faults of no process that was ever seen: rows that went between two ticks,
  // and what found no room in the table.
  uint64_t unattributed() const { return unattributed_; }
  // Host-wide counters and latency; over epochs.
  const HostCounters& host() const { return host_; }
  const Latency& latency() const { return latency_; }
  double seconds() const { return seconds_; }  // the last tick's length

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  template <typename Value>
  using ByText =
      std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

  Identity IdentityOf(const Process& process) const;
  void Begin(const Snapshot& snapshot);
  void Follow();
  uint32_t FindOld(const Process& process, uint32_t hint);
  void Continue(uint32_t old_index, uint32_t index);
  void ContinueInEpoch(const Process& old, Tracked* tracked, Process* process);
  void ContinueInNewEpoch(const Process& old, Tracked* tracked,
                          Process* process);
  void ContinueBreakdown(const Process& old, const Tracked& tracked,
                         Process* process);
  void NoteChanges(const Process& old, const Process& process,
                   const Tracked& tracked);
  void Meet(uint32_t index);
  void Grow(size_t cell, uint64_t count) {
    grown_[cell] = count;
    grown_cells_ |= 1u << cell;
  }
  void AddToComm(const Process& process, Tracked* tracked);
  uint32_t CommIndex(std::string_view comm);
  uint32_t ToOther(std::string_view comm);
  void CountGone();
  void UpdateUnattributed(const std::optional<ModuleStats>& module);
  void UpdateHost(const Snapshot& snapshot);

  size_t max_comms_;
  const bool count_first_;
  uint64_t tick_ = 0;
  bool new_epoch_ = true;
  bool had_one_ = false;  // an epoch before this one
  std::string source_;
  uint64_t epoch_ = 0;
  uint64_t host_epoch_ = 0;  // the module's load that host_ is of
  uint64_t full_tick_ = 0;   // the last in which no place for a comm was idle
  uint64_t last_ns_ = 0;
  uint64_t this_ns_ = 0;
  double seconds_ = 0;
  bool has_breakdown_ = false;
  ProcessTable processes_;
  std::vector<Tracked> tracked_;
  // Of the tick before, while the next is taken.
  ProcessTable old_processes_;
  std::vector<Tracked> old_tracked_;
  std::vector<bool> taken_;
  uint64_t youngest_ns_ = 0, old_youngest_ns_ = 0;  // start of any row
  IdentityIndex index_;  // built when the order does not help
  bool index_built_ = false;
  // Growth by breakdown of the process at hand; cells with a bit set only.
  uint32_t grown_cells_ = 0;
  Breakdown grown_;
  Changes changes_;
  std::vector<CommSums> comms_;
  ByText<uint32_t> comm_index_;
  ByText<uint64_t> omitted_;  // last tick seen
  uint64_t gone_faults_ = 0;  // read of rows that are not there any more
  uint64_t unattributed_ = 0;
  uint64_t unattributed_before_ = 0;  // of earlier epochs
  int64_t unattributed_base_ = 0;     // of this epoch, at its first tick
  HostCounters host_, host_before_;
  Latency latency_, latency_before_;
};

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_TRACKER_H_
