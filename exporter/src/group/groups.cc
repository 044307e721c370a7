// SPDX-License-Identifier: Apache-2.0
#include "group/groups.h"

#include <time.h>

#include <utility>

#include "base/clock.h"
#include "source/cgroup_path.h"

namespace pfe {
namespace {

constexpr Fields kOfCgroup = Bit(Field::kCgroup) | Bit(Field::kUnit);

uint64_t MonotonicNs() { return ClockNs(CLOCK_MONOTONIC); }

WantedFacts WantedBy(Fields fields) {
  WantedFacts wanted;
  wanted.exe = fields & Bit(Field::kExe);
  wanted.cmdline = fields & Bit(Field::kCmdline);
  wanted.user = fields & Bit(Field::kUser);
  wanted.cgroup = fields & kOfCgroup;
  return wanted;
}

}  // namespace

std::string CheckGroupsReadable(const std::vector<GroupRule>& rules,
                                const std::string& procfs) {
  for (size_t i = 0; i < rules.size(); ++i)
    if (GroupRules({rules[i]}).needs() & Bit(Field::kExe) &&
        !CanReadExe(procfs))
      return GroupRuleLabel(i, rules[i].name) +
             ": exe: the programs of other users' processes cannot be read: "
             "add AmbientCapabilities=CAP_SYS_PTRACE and "
             "CapabilityBoundingSet=CAP_SYS_PTRACE to the unit";
  return "";
}

Groups::Groups(uint64_t (*clock)()) : clock_(clock ? clock : MonotonicNs) {}

bool Groups::SetRules(const std::vector<GroupRule>& rules) {
  if (rules == source_rules_) return false;
  // What can fail comes first.
  std::vector<GroupRule> source_rules = rules;
  std::unique_ptr<GroupRules> made;
  if (!rules.empty()) made = std::make_unique<GroupRules>(rules);
  source_rules_ = std::move(source_rules);
  rules_ = std::move(made);
  last_.clear();
  error_.clear();
  return true;
}

std::shared_ptr<const std::string> Groups::Share(std::string name) {
  std::weak_ptr<const std::string>& place = shared_[name];
  if (auto there = place.lock()) return there;
  auto made = std::make_shared<const std::string>(std::move(name));
  place = made;
  return made;
}

bool Groups::need_cgroups() const {
  return rules_ && rules_->needs() & kOfCgroup;
}

// The fields that the rules need and the table does not have.
Fields Groups::FromProcfs() const {
  return rules_->needs() &
         ~(Bit(Field::kComm) | (cgroups_ ? kOfCgroup : Fields{0}));
}

// The id of the control group by which rules can name the process; 0 if there
// is none: no rule asks for it, the table has no ids, or its path is not known
// yet.
uint64_t Groups::KnownCgroup(const Process& process) const {
  return cgroups_ && need_cgroups() && cgroups_->Of(process) ? process.cgroup
                                                             : 0;
}

Groups::State Groups::StateAfterReading(const Process& process) const {
  return now_ns_ < process.start_ns + kYoungNs ? State::kYoung : State::kKnown;
}

ByField<std::string> Groups::FromTable(const ProcessTable& table,
                                       const Process& process) const {
  ByField<std::string> fields;
  fields[Field::kComm] = table.comm(process);
  if (const Cgroup* cgroup = cgroups_ ? cgroups_->Of(process) : nullptr) {
    fields[Field::kCgroup] = cgroup->path;
    fields[Field::kUnit] = cgroup->info.unit;
  }
  return fields;
}

Groups::Entry Groups::ByTable(const ProcessTable& table, const Process& process,
                              State state) {
  return {Share(rules_->NameOf(FromTable(table, process))),
          KnownCgroup(process), state};
}

// Returns nothing if the process is gone or cannot be read now.
std::optional<Groups::Entry> Groups::Read(const std::string& procfs,
                                          const ProcessTable& table,
                                          const Process& process) {
  WantedFacts wanted = WantedBy(FromProcfs());
  if (wanted.cgroup) {
    const auto& layout = layout_.layout();
    if (!layout) return std::nullopt;
    wanted.cgroup = !layout->other_root;
    wanted.by_systemd = layout->by_systemd;
  }
  --reads_left_;
  auto facts = reader_.Read(procfs, process, wanted);
  if (!reader_.error().empty()) error_ = reader_.error();
  if (!facts) return std::nullopt;
  ByField<std::string> fields = FromTable(table, process);
  fields[Field::kExe] = std::move(facts->exe);
  fields[Field::kCmdline] = std::move(facts->cmdline);
  fields[Field::kUser] = std::move(facts->user);
  if (!cgroups_) {
    fields[Field::kUnit] = ParseCgroupPath(facts->cgroup).unit;
    fields[Field::kCgroup] = std::move(facts->cgroup);
  }
  return Entry{Share(rules_->NameOf(fields)), KnownCgroup(process),
               StateAfterReading(process)};
}

// `before` is the entry of the last tick; null if the process is new or has
// another comm now.
Groups::Entry Groups::EntryOf(const std::string& procfs,
                              const ProcessTable& table, const Process& process,
                              const Entry* before) {
  if (before && before->state == State::kKnown &&
      (before->cgroup == process.cgroup ||
       before->cgroup == KnownCgroup(process)))
    return *before;
  if (!FromProcfs()) return ByTable(table, process, StateAfterReading(process));
  if (process.live && reads_left_ > 0 && clock_() < deadline_ns_)
    if (const auto entry = Read(procfs, table, process)) return *entry;
  return before ? *before : ByTable(table, process, State::kUnread);
}

void Groups::Follow(const std::string& procfs, const Rows& old,
                    bool exact_starts, const ProcessTable& now, uint64_t now_ns,
                    const CgroupTable* cgroups) {
  now_ns_ = now_ns;
  cgroups_ = cgroups;
  reads_left_ = kMostReads;
  deadline_ns_ = clock_() + kMostReadNs;
  error_.clear();
  reader_.Begin();
  if (!cgroups_ && need_cgroups()) {
    layout_.Update(procfs);
    error_ = layout_.error();
  }
  next_.clear();
  next_.reserve(now.size());
  // The sizes differ if the last tick had no rules, or other ones.
  const bool continues = last_.size() == old.processes.size();
  matcher_.Begin(old, exact_starts);
  for (const Process& process : now) {
    const uint32_t row = continues ? matcher_.Find(process) : kNoRow;
    const bool same = row != kNoRow && old.processes.comm(old.processes[row]) ==
                                           now.comm(process);
    next_.push_back(
        EntryOf(procfs, now, process, same ? &last_[row] : nullptr));
  }
}

void Groups::Commit() noexcept {
  std::swap(last_, next_);
  next_.clear();
  std::erase_if(shared_,
                [](const auto& item) { return item.second.expired(); });
}

}  // namespace pfe
