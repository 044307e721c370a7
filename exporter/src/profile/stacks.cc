// SPDX-License-Identifier: Apache-2.0
#include "profile/stacks.h"

#include <cstdio>

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
             : offset;
}

}  // namespace

const std::string* Stacks::Keep(const std::string& text) {
  const bool has_room = text_bytes_ < kMostTextBytes;
  if (!has_room && !texts_.contains(text)) return &*texts_.insert(kOther).first;
  const auto [at, is_new] = texts_.insert(text);
  if (is_new) text_bytes_ += sizeof(std::string) + text.size();
  return &*at;
}

void Stacks::Add(const FaultSample& sample, const std::string& mapping,
                 std::vector<Frame> frames) {
  const FaultSum sum = SumOf(sample);
  const Key key = {Keep(is_full() ? kOther : mapping),
                   is_full() ? std::vector<Frame>() : std::move(frames)};
  const auto [at, is_new] = sums_.try_emplace(key);
  // One is counted for a stack without frames too, so that their number has a
  // limit.
  if (is_new) frames_ += key.second.size() + 1;
  at->second += sum;
}

Profile Stacks::Named(Functions* functions,
                      const std::function<bool()>& is_over,
                      bool* is_cut) const {
  Profile profile;
  std::map<Frame, std::string> names;
  for (const auto& [key, sum] : sums_) {
    const auto& [mapping, frames] = key;
    std::vector<std::string> path;
    for (const Frame& frame : frames) {
      const auto [at, is_new] = names.try_emplace(frame);
      if (is_new && frame.file) {
        if (is_over())
          *is_cut = true;
        else
          at->second = functions->Name(frame.file, frame.offset, is_over);
      }
      if (at->second.empty()) at->second = Place(frame);
      path.push_back(at->second);
    }
    if (path.empty())
      path.emplace_back(*mapping == kOther ? kOther : "[kernel]");
    profile.Add(sum, *mapping, path);
  }
  return profile;
}

}  // namespace pfe
