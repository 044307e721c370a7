// SPDX-License-Identifier: Apache-2.0
#include "profile/labelled_profile.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

namespace pfe {
namespace {

using Stack = LabelledProfile::Stack;

// Numbers the files and frames of stacks.
class Numbering {
 public:
  Numbering(const std::map<Frame, std::string>& names,
            const Functions& functions, LabelledProfile* profile)
      : names_(names), functions_(functions), profile_(profile) {}

  std::vector<size_t> Of(const Stacks::Key& key) {
    std::vector<size_t> frames;
    for (const Frame& frame : key.frames) frames.push_back(OfFrame(frame));
    if (frames.empty()) frames.push_back(OfName(PathOf(key, names_).front()));
    return frames;
  }
  // A frame that is only a name.
  size_t OfName(const std::string& name) {
    const auto [at, is_new] =
        by_name_.try_emplace(name, profile_->frames.size());
    if (is_new) profile_->frames.push_back({LabelledProfile::kNoFile, 0, name});
    return at->second;
  }

 private:
  size_t OfFrame(const Frame& frame) {
    const auto [at, is_new] =
        by_frame_.try_emplace(frame, profile_->frames.size());
    if (is_new)
      profile_->frames.push_back(
          {OfFile(frame), frame.offset, names_.at(frame)});
    return at->second;
  }
  size_t OfFile(const Frame& frame) {
    if (!frame.name) return LabelledProfile::kNoFile;
    const auto [at, is_new] = by_file_.try_emplace(
        std::make_pair(frame.file, frame.name), profile_->files.size());
    if (is_new)
      profile_->files.push_back(
          {*frame.name, frame.file ? functions_.BuildId(frame.file) : ""});
    return at->second;
  }

  const std::map<Frame, std::string>& names_;
  const Functions& functions_;
  LabelledProfile* const profile_;
  std::map<Frame, size_t> by_frame_;
  std::map<std::string, size_t> by_name_;
  std::map<std::pair<const CodeFile*, const std::string*>, size_t> by_file_;
};

// The stacks that share an exact count, and one of their numbers.
using Group = std::vector<Stack*>;

// Multiplies a number of all stacks so that it adds up to `exact`. The largest
// remainders are rounded up.
void Scale(const Group& group, int64_t Stack::*number, double exact) {
  const double sampled =
      std::accumulate(group.begin(), group.end(), 0.0,
                      [number](double sum, const Stack* stack) {
                        return sum + static_cast<double>(stack->*number);
                      });
  if (sampled <= 0) return;
  std::vector<std::pair<double, Stack*>> remainders;
  auto left = static_cast<int64_t>(std::llround(exact));
  for (Stack* stack : group) {
    const double value = static_cast<double>(stack->*number) * exact / sampled;
    stack->*number = static_cast<int64_t>(std::floor(value));
    left -= stack->*number;
    remainders.emplace_back(value - std::floor(value), stack);
  }
  std::stable_sort(
      remainders.begin(), remainders.end(),
      [](const auto& a, const auto& b) { return a.first > b.first; });
  for (size_t i = 0; left > 0 && !remainders.empty(); ++i, --left)
    remainders[i % remainders.size()].second->*number += 1;
}

Stack NotSampled(const std::string& comm, size_t frame) {
  Stack stack;
  stack.comm = comm;
  stack.mapping = LabelledProfile::kNotSampled;
  stack.frames = {frame};
  return stack;
}

size_t FrameNotSampled(LabelledProfile* profile) {
  profile->frames.push_back(
      {LabelledProfile::kNoFile, 0, LabelledProfile::kNotSampled});
  return profile->frames.size() - 1;
}

}  // namespace

LabelledProfile Label(const Stacks& stacks,
                      const std::map<Frame, std::string>& names,
                      const Functions& functions) {
  LabelledProfile profile;
  Numbering numbering(names, functions, &profile);
  for (const auto& [key, sum] : stacks.sums()) {
    const StackLabels& labels = key.labels;
    Stack stack = {*labels.comm,
                   *key.mapping,
                   labels.cgroup,
                   labels.severity,
                   labels.access,
                   labels.kind,
                   numbering.Of(key),
                   static_cast<int64_t>(std::llround(sum.total())),
                   static_cast<int64_t>(std::llround(sum.stall_seconds * 1e9))};
    profile.stacks.push_back(std::move(stack));
  }
  return profile;
}

void ScaleTo(const CounterGrowth& growth, LabelledProfile* profile) {
  std::map<std::tuple<std::string, size_t, size_t>, Group> classes;
  std::map<std::string, Group> comms;
  for (Stack& stack : profile->stacks) {
    const size_t kind = growth.by_kind() ? stack.kind : kKinds;
    classes[{stack.comm, stack.severity, kind}].push_back(&stack);
    comms[stack.comm].push_back(&stack);
  }
  static const FaultSum kNone;
  const auto exact_of = [&growth](const std::string& comm) -> const FaultSum& {
    const auto at = growth.by_comm().find(comm);
    return at == growth.by_comm().end() ? kNone : at->second;
  };
  for (const auto& [name, group] : classes) {
    const auto& [comm, severity, kind] = name;
    Scale(group, &Stack::faults,
          exact_of(comm).faults[ProfileClass(severity, kind)]);
  }
  std::vector<Stack> unsampled;
  const size_t frame = FrameNotSampled(profile);
  for (const auto& [comm, group] : comms)
    if (growth.has_stall())
      Scale(group, &Stack::stall_ns, exact_of(comm).stall_seconds * 1e9);
  for (const auto& [comm, exact] : growth.by_comm()) {
    const size_t first = unsampled.size();
    for (size_t severity = 0; severity < kSeverities; ++severity)
      for (size_t kind = 0; kind <= kKinds; ++kind) {
        const double faults = exact.faults[ProfileClass(severity, kind)];
        if (faults <= 0 || classes.contains({comm, severity, kind})) continue;
        Stack& stack = unsampled.emplace_back(NotSampled(comm, frame));
        stack.severity = severity;
        stack.kind = kind;
        stack.faults = static_cast<int64_t>(std::llround(faults));
      }
    const auto sampled = comms.find(comm);
    const bool has_stall =
        sampled != comms.end() &&
        std::any_of(sampled->second.begin(), sampled->second.end(),
                    [](const Stack* stack) { return stack->stall_ns > 0; });
    if (has_stall || !growth.has_stall() || exact.stall_seconds <= 0) continue;
    if (unsampled.size() == first) unsampled.push_back(NotSampled(comm, frame));
    unsampled[first].stall_ns =
        static_cast<int64_t>(std::llround(exact.stall_seconds * 1e9));
  }
  profile->stacks.insert(profile->stacks.end(),
                         std::make_move_iterator(unsampled.begin()),
                         std::make_move_iterator(unsampled.end()));
}

}  // namespace pfe
