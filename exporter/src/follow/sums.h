// SPDX-License-Identifier: Apache-2.0
// Sums over all processes that have the same name: their comm, the path of
// their control group, or their group of rules. They include exited processes.
#ifndef EXPORTER_FOLLOW_SUMS_H_
#define EXPORTER_FOLLOW_SUMS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/process_table.h"
#include "base/recycler.h"
#include "base/snapshot.h"
#include "follow/births.h"
#include "follow/counters.h"

namespace pfe {

// The sums of one name.
struct NamedSums {
  std::string name;
  Counters counters;
  Counters growth;  // in the last tick
  SlowFaults slow{};
  // Faults by breakdown; those of a source without one are in `plain`, by
  // severity.
  Breakdown breakdown{};
  std::array<uint64_t, kSeverities> plain{};
  uint64_t processes = 0;  // live ones
  uint64_t vma_kb = 0;
  uint64_t rss_kb = 0;
  uint64_t swap_kb = 0;
  uint64_t active_ns = 0;   // when it last had a process, boot time
  uint64_t created_ns = 0;  // since when its counters count, boot time
  Births births;
};

// The growth that metrics do not show yet, of all names.
struct HeldBack {
  uint64_t faults = 0;
  uint64_t stall_ns = 0;
  SlowFaults slow{};
};

// Adds each fault once, to the name that the process had in the tick that saw
// the fault. At most `max` names have sums of their own; the others share the
// bucket "other". When all places are taken, a new name gets the place of one
// that had no process for kIdleNs. What that one had counted goes into the
// bucket, so the sum over all names never falls. A name that leaves the bucket
// starts at 0, and its past stays there.
//
// Counters that are new after the first tick are held back: see Births.
//
// The state of the last tick does not change before Commit(). If a tick fails
// before that, it has no effect.
class Sums {
 public:
  using All = std::vector<NamedSums>;

  static constexpr uint32_t kOther = 0;  // the bucket's index
  static constexpr uint64_t kIdleNs = 600'000'000'000;

  // `by_cell`: faults are summed by cell of the breakdown if the source offers
  // one; else by severity alone.
  explicit Sums(size_t max, bool by_cell = true);
  void set_max(size_t max) { max_ = max; }
  // Lets the names that have no process any more lose their places at once.
  void ReleasePlaces() { released_until_ns_ = last_ns_; }
  // For how long the growth of a new counter is held back.
  void set_birth_hold(uint64_t ns) { hold_ns_ = ns; }

  // Starts a tick. `interrupted` says that no sums were served for a time since
  // the last tick, because reads failed: that time does not count for the hold.
  void Begin(uint64_t now_ns, const Offered& offered, bool interrupted);
  // Adds a process and its growth. `place` is what this function returned for
  // the process in the tick before, or kOther if the process is new or has
  // another name now. Returns the index of its name.
  uint32_t Add(const Process& process, std::string_view name, uint32_t place,
               const RowGrowth& growth);
  // The index of a name in this tick, which gets a place if there is one.
  uint32_t PlaceOf(std::string_view name);
  // Adds a process and its growth to the name with this index.
  void AddAt(uint32_t place, const Process& process, const RowGrowth& growth);
  void Commit() noexcept;

  // The sums of the last committed tick. The bucket is at kOther.
  const std::shared_ptr<const All>& all() const { return all_; }
  // Names that share the bucket now.
  size_t omitted() const { return omitted_.size(); }
  // Whether this tick released growth that was held back.
  bool released() const { return released_; }
  // Whether this tick gave a name a place of its own.
  bool placed() const { return placed_; }

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

  uint32_t FindIdlePlace();
  uint32_t ToOther(std::string_view name);
  void MoveToOther(const NamedSums& from);
  void Grow(size_t counter, uint64_t growth, NamedSums* sums) const;
  void KnowCounters(const Process& process, NamedSums* sums) const;
  void IndexNames();
  bool ByCell() const { return by_cell_ && offered_.breakdown; }

  const bool by_cell_;
  size_t max_;
  uint64_t hold_ns_ = 0;
  uint64_t now_ns_ = 0;
  uint64_t last_ns_ = 0;            // of the tick before
  Offered offered_;                 // in this tick
  uint64_t released_until_ns_ = 0;  // see ReleasePlaces()
  bool first_ = true;               // no tick was committed yet
  bool released_ = false;           // in this tick
  bool placed_ = false;             // in this tick
  bool full_ = false;               // in this tick no place was idle
  bool under_way_ = false;          // between Begin() and Commit()
  Recycler<All> recycler_;
  std::shared_ptr<const All> all_;
  std::shared_ptr<All> next_;
  ByText<uint32_t> index_;  // places in next_
  // When a name was last seen, boot time. By hash, because paths are long.
  std::unordered_map<size_t, uint64_t> omitted_;
};

HeldBack HeldBackOf(const Sums::All& all);

}  // namespace pfe

#endif  // EXPORTER_FOLLOW_SUMS_H_
