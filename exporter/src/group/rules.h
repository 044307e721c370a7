// SPDX-License-Identifier: Apache-2.0
// The rules by which processes are grouped into programs.
#ifndef EXPORTER_GROUP_RULES_H_
#define EXPORTER_GROUP_RULES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "group/fields.h"

namespace pfe {

// A rule as the user writes it. A process matches if each expression matches
// its field; an empty expression asks for nothing. An expression must match
//   comm, unit, user   as a whole,
//   exe                as a whole: the path if the expression has a slash, else
//                      the name without its directory,
//   cmdline, cgroup    in any part.
// A process also needs each field that the template names.
struct GroupRule {
  std::string name;  // a template: see name_template.h
  ByField<std::string> expressions;

  bool operator==(const GroupRule&) const = default;
};

// The rule of --group.by: each value of the field is a group.
GroupRule GroupBy(Field field);

// Bounds of what a user can write. They bound the memory and the time that
// expressions take.
inline constexpr size_t kMostGroupRules = 200;
inline constexpr size_t kMostExpressionBytes = 1000;
inline constexpr size_t kMostTemplateBytes = 200;
// The longest name of a group. A longer one is cut.
inline constexpr size_t kMostGroupNameBytes = 200;

// How messages name a rule: its number, counted from 1, and its name.
std::string GroupRuleLabel(size_t index, std::string_view name);
// Says what is wrong with a rule and names the rule, the field and the
// character; empty if all are good.
std::string CheckGroupRules(const std::vector<GroupRule>& rules);

class GroupRules {
 public:
  // `rules` are good ones.
  explicit GroupRules(const std::vector<GroupRule>& rules);
  ~GroupRules();
  GroupRules(const GroupRules&) = delete;
  GroupRules& operator=(const GroupRules&) = delete;

  // The fields that any rule needs.
  Fields needs() const { return needs_; }
  // The name that the first matching rule gives, valid UTF-8; the comm if no
  // rule matches. A rule that needs a field whose text is empty does not match,
  // nor does one whose name comes out empty.
  std::string NameOf(const ByField<std::string>& process) const;

 private:
  struct Rule;

  std::vector<Rule> rules_;
  Fields needs_ = 0;
};

}  // namespace pfe

#endif  // EXPORTER_GROUP_RULES_H_
