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
#ifndef EXPORTER_TRACKER_H_
#define EXPORTER_TRACKER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "snapshot.h"

namespace pfe {

struct Counters {
  uint64_t faults = 0;
  uint64_t minor = 0;
  uint64_t major = 0;
  uint64_t stall_ns = 0;
};

using Breakdown = std::array<uint64_t, kBreakdown>;

// One process, as it is exported.
struct Tracked {
  Process process;  // its counters go on over epochs
  Counters read;    // as the source has them
  Counters growth;  // in the last tick
  double recent = 0;  // faults of late: growth that fades by a fifth a tick
  uint32_t comm = 0;  // index into Tracker::comms()
  bool selected = false;  // has series of its own: see selection.h
  // What the source's breakdown is short of the exported one, modulo 2^64; only
  // after a change of epoch.
  std::unique_ptr<Breakdown> breakdown_before;
  std::string cgroup;  // see cgroup_reader.h
  bool cgroup_read = false;
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

class Tracker {
 public:
  // The bucket of comms beyond the cap.
  static constexpr uint32_t kOther = 0;

  // `count_first` has the sums by comm begin with what the first snapshot says
  // of its processes. A service must not: after its restart the sums would
  // begin with some of what they were, which reads as a spike.
  Tracker(size_t max_comms, bool count_first);

  // Takes the next snapshot; its processes and latency are moved from.
  void Update(Snapshot* snapshot);
  void set_max_comms(size_t max_comms) { max_comms_ = max_comms; }

  // Live processes and those that exited of late, as the source has them.
  std::vector<Tracked>& processes() { return processes_; }
  const std::vector<Tracked>& processes() const { return processes_; }
  // Element kOther is the bucket; empty names are free places.
  const std::vector<CommSums>& comms() const { return comms_; }
  // Comms that share the bucket now.
  size_t comms_omitted() const { return omitted_.size(); }
  // Faults of no process that was ever seen: rows that went between two ticks,
  // and what found no room in the table.
  uint64_t unattributed() const { return unattributed_; }
  // Host-wide counters by the module's keys, and latency; over epochs.
  const Stats& host() const { return host_; }
  const Latency& latency() const { return latency_; }
  double seconds() const { return seconds_; }  // the last tick's length

 private:
  struct Identity {
    uint64_t pid;
    uint64_t start;
    bool operator==(const Identity&) const = default;
  };
  struct IdentityHash {
    size_t operator()(const Identity& id) const {
      return (id.pid * 0x9e3779b97f4a7c15u) ^ (id.start * 0xff51afd7ed558ccdu);
    }
  };
  using Index = std::unordered_map<Identity, uint32_t, IdentityHash>;

  Identity IdentityOf(const Process& process) const;
  void BuildIndex();
  Tracked* FindOld(const Process& process, size_t hint);
  void Continue(Tracked* old, Tracked* next);
  void Meet(Tracked* next);
  void AddToComm(Tracked* tracked, const Breakdown& breakdown_growth);
  uint32_t CommIndex(const std::string& comm);
  void AddGauges(const Tracked& tracked);
  void ContinueBreakdown(Tracked* old, Tracked* next, Breakdown* growth);
  void CountGone();
  void UpdateUnattributed(const Stats& stats);
  void UpdateHost(Stats stats, Latency latency);

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
  std::vector<Tracked> processes_;
  std::vector<Tracked> old_;
  std::vector<bool> taken_;  // of old_
  Index index_;              // of old_, built when the order does not help
  bool index_built_ = false;
  std::vector<CommSums> comms_;
  std::unordered_map<std::string, uint32_t> comm_index_;
  std::unordered_map<std::string, uint64_t> omitted_;  // last tick seen
  uint64_t gone_faults_ = 0;  // read of rows that are not there any more
  uint64_t unattributed_ = 0;
  uint64_t unattributed_before_ = 0;  // of earlier epochs
  int64_t unattributed_base_ = 0;     // of this epoch, at its first tick
  Stats host_, host_before_;
  Latency latency_, latency_before_;
};

}  // namespace pfe

#endif  // EXPORTER_TRACKER_H_
