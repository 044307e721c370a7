// SPDX-License-Identifier: Apache-2.0
#include "group/groups.h"

#include <utility>

#include "source/cgroup_path.h"
#include "source/cgroup_reader.h"

namespace pfe {
namespace {

constexpr Fields kFromProcfs = ~Bit(Field::kComm);

WantedFacts WantedBy(Fields fields) {
  WantedFacts wanted;
  wanted.exe = fields & Bit(Field::kExe);
  wanted.cmdline = fields & Bit(Field::kCmdline);
  wanted.user = fields & Bit(Field::kUser);
  wanted.cgroup = fields & (Bit(Field::kCgroup) | Bit(Field::kUnit));
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

void Groups::SetRules(const std::vector<GroupRule>& rules) {
  if (rules == source_rules_) return;
  source_rules_ = rules;
  last_.clear();
  rules_.reset();
  if (!rules.empty()) rules_.emplace(rules);
}

std::shared_ptr<const std::string> Groups::Share(std::string name) {
  std::weak_ptr<const std::string>& place = shared_[name];
  if (auto there = place.lock()) return there;
  auto made = std::make_shared<const std::string>(std::move(name));
  place = made;
  return made;
}

Groups::Entry Groups::ByTable(const ProcessTable& table,
                              const Process& process) {
  ByField<std::string> fields;
  fields[Field::kComm] = table.comm(process);
  return {Share(rules_->NameOf(fields)), State::kUnread};
}

// Returns nothing if the process is gone.
std::optional<Groups::Entry> Groups::Read(const std::string& procfs,
                                          const ProcessTable& table,
                                          const Process& process) {
  --reads_left_;
  auto facts = reader_.Read(procfs, process, WantedBy(rules_->needs()));
  if (!facts) return std::nullopt;
  ByField<std::string> fields;
  fields[Field::kComm] = table.comm(process);
  fields[Field::kExe] = std::move(facts->exe);
  fields[Field::kCmdline] = std::move(facts->cmdline);
  fields[Field::kUser] = std::move(facts->user);
  fields[Field::kUnit] = ParseCgroupPath(facts->cgroup).unit;
  fields[Field::kCgroup] = std::move(facts->cgroup);
  return Entry{
      Share(rules_->NameOf(fields)),
      now_ns_ < process.start_ns + kYoungNs ? State::kYoung : State::kKnown};
}

// `before` is the entry of the last tick; null if the process is new or has
// another comm now.
Groups::Entry Groups::EntryOf(const std::string& procfs,
                              const ProcessTable& table, const Process& process,
                              const Entry* before) {
  if (before && before->state == State::kKnown) return *before;
  const bool readable = process.live && rules_->needs() & kFromProcfs;
  if (readable && reads_left_ > 0)
    if (const auto entry = Read(procfs, table, process)) return *entry;
  return before ? *before : ByTable(table, process);
}

void Groups::Follow(const std::string& procfs, const Rows& old,
                    bool exact_starts, const ProcessTable& now,
                    uint64_t now_ns) {
  now_ns_ = now_ns;
  reads_left_ = kMostReads;
  next_.clear();
  next_.reserve(now.size());
  // They differ if there were no rules, or others, in the last tick.
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
