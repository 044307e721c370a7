// SPDX-License-Identifier: Apache-2.0
#include "profile/stacks.h"

#include <cstdio>
#include <utility>

namespace pfe {
namespace {

std::string Hexadecimal(uint64_t number) {
  char text[20];
  snprintf(text, sizeof(text), "0x%llx",
           static_cast<unsigned long long>(number));
  return text;
}

// The file and the offset.
std::string Place(const Frame& frame) {
  const std::string offset = Hexadecimal(frame.offset);
  return frame.name
             ? frame.name->substr(frame.name->rfind('/') + 1) + "+" + offset
             : "[unknown]";
}

}  // namespace

const std::string* Stacks::Keep(const std::string& text) {
  const bool has_room = text_bytes_ < kMostTextBytes;
  if (!has_room && !texts_.contains(text)) return &*texts_.insert(kOther).first;
  const auto [at, is_new] = texts_.insert(text);
  if (is_new) text_bytes_ += sizeof(std::string) + text.size();
  return &*at;
}

void Stacks::Add(const FaultSample& sample, const StackLabels& labels,
                 const std::string& mapping, std::vector<Frame> frames) {
  const FaultSum sum = SumOf(sample);
  Key key = {labels, Keep(is_full() ? kOther : mapping), {}};
  if (!is_full()) {
    key.frames = std::move(frames);
  } else {
    key.labels.cgroup = 0;
    key.labels.access = kAccesses;
  }
  const auto [at, is_new] = sums_.try_emplace(key);
  // One is counted for a stack without frames too, so that their number has a
  // limit.
  if (is_new) frames_ += key.frames.size() + 1;
  at->second += sum;
}

std::map<Frame, std::string> Stacks::NameFrames(
    Functions* functions, const std::function<bool()>& is_over,
    bool* is_cut) const {
  std::map<Frame, std::string> names;
  for (const auto& [key, sum] : sums_)
    for (const Frame& frame : key.frames) {
      const auto [at, is_new] = names.try_emplace(frame);
      if (!is_new) continue;
      if (frame.file && !is_over())
        at->second = functions->Name(frame.file, frame.offset, is_over);
      if (!at->second.empty()) continue;
      at->second = Place(frame);
      *is_cut |= frame.file && is_over();
    }
  return names;
}

std::vector<std::string> PathOf(const Stacks::Key& stack,
                                const std::map<Frame, std::string>& names) {
  std::vector<std::string> path;
  for (const Frame& frame : stack.frames) path.push_back(names.at(frame));
  if (path.empty())
    path.emplace_back(*stack.mapping == Stacks::kOther ? Stacks::kOther
                                                       : "[kernel]");
  return path;
}

}  // namespace pfe
