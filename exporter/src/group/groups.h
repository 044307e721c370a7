// SPDX-License-Identifier: Apache-2.0
// Names the group of each process, tick by tick.
//
// How it works. What the rules need is read when a process is new, and again
// when its comm has changed, which is how an exec is seen: the start of the
// process stays the same. A process that is found between fork and exec has the
// program of its parent, so one that was read in its first second is read again
// in the next tick. If a rule asks for control groups and the table has their
// ids, a process whose group changes or is found later is named again too.
//
// A tick reads new processes before it adds their growth to a group. It reads
// at most kMostReads of them, and for at most kMostReadNs. The others are read
// in the next tick.
//
// A process that has exited, or is not read yet, is named by what the table
// has. If the table has ids of control groups, that is the control group and
// its unit too, and they are not read from /proc.
//
// Only names are kept, no command line.
//
// For one thread.
#ifndef EXPORTER_GROUP_GROUPS_H_
#define EXPORTER_GROUP_GROUPS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "follow/identity_matcher.h"
#include "follow/rows.h"
#include "group/rules.h"
#include "source/cgroup_cache.h"
#include "source/cgroup_reader.h"
#include "source/process_facts.h"

namespace pfe {

// Says which rule needs the programs of other users' processes, if they cannot
// be read in `procfs`; empty if all is well.
std::string CheckGroupsReadable(const std::vector<GroupRule>& rules,
                                const std::string& procfs);

class Groups {
 public:
  // The most processes that are read in a tick.
  static constexpr size_t kMostReads = 10000;
  // How long a tick reads. An expression can take 20 ms for a command line that
  // is made to be hard, and the worst expression 200 ms.
  static constexpr uint64_t kMostReadNs = 1'000'000'000;
  static constexpr uint64_t kYoungNs = 1'000'000'000;

  // `clock` measures how long a tick reads; the monotonic one by default.
  explicit Groups(uint64_t (*clock)() = nullptr);

  // Sets good rules. Returns whether they differ; then all processes are named
  // again. If it throws, the rules stay.
  bool SetRules(const std::vector<GroupRule>& rules);
  bool has_rules() const { return rules_ != nullptr; }
  // Whether a rule asks for control groups or units.
  bool need_cgroups() const;

  // Names the processes of `now`, which were read at `now_ns`, boot time. `old`
  // has the rows of the last committed tick; `exact_starts`: see
  // IdentityMatcher. `cgroups` has the groups by the ids of the table; null if
  // the table has none. The names of the last tick stay until Commit().
  void Follow(const std::string& procfs, const Rows& old, bool exact_starts,
              const ProcessTable& now, uint64_t now_ns,
              const CgroupTable* cgroups);
  void Commit() noexcept;

  // The group of a row that Follow() took. Valid until the next Follow().
  const std::string& Of(size_t row) const { return *next_[row].name; }
  // A sentence that says what the last Follow() could not read, and why; empty
  // without rules.
  const std::string& error() const { return error_; }

 private:
  enum class State : uint8_t {
    kUnread,  // named by the table
    kYoung,   // read in its first second
    kKnown,
  };
  struct Entry {
    std::shared_ptr<const std::string> name;
    uint64_t cgroup = 0;  // KnownCgroup() when it was named
    State state = State::kUnread;
  };

  Fields FromProcfs() const;
  uint64_t KnownCgroup(const Process& process) const;
  State StateAfterReading(const Process& process) const;
  ByField<std::string> FromTable(const ProcessTable& table,
                                 const Process& process) const;
  Entry EntryOf(const std::string& procfs, const ProcessTable& table,
                const Process& process, const Entry* before);
  std::optional<Entry> Read(const std::string& procfs,
                            const ProcessTable& table, const Process& process);
  Entry ByTable(const ProcessTable& table, const Process& process, State state);
  std::shared_ptr<const std::string> Share(std::string name);

  std::vector<GroupRule> source_rules_;
  std::unique_ptr<const GroupRules> rules_;  // null without rules
  uint64_t (*clock_)();
  FactsReader reader_;
  IdentityMatcher matcher_;
  std::vector<Entry> last_, next_;  // by row
  // Processes of one group share its name.
  std::unordered_map<std::string, std::weak_ptr<const std::string>> shared_;
  const CgroupTable* cgroups_ = nullptr;  // of this tick
  LayoutReader layout_;                   // for paths of /proc
  uint64_t now_ns_ = 0;
  size_t reads_left_ = 0;
  uint64_t deadline_ns_ = 0;
  std::string error_;
};

}  // namespace pfe

#endif  // EXPORTER_GROUP_GROUPS_H_
