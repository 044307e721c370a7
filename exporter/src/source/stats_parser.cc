// SPDX-License-Identifier: Apache-2.0
#include "source/stats_parser.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "page_faults.h"
#include "source/fields.h"

namespace pfe {

namespace {

constexpr std::pair<const char*, ModuleNumber> kModuleKeys[] = {
    {PF_KEY_LOADED_NS, ModuleNumber::kLoadedNs},
    {PF_KEY_CAPACITY, ModuleNumber::kCapacity},
    {PF_KEY_BLOCKS, ModuleNumber::kBlocks},
    {PF_KEY_BLOCKS_USED, ModuleNumber::kBlocksUsed},
    {PF_KEY_LIVE, ModuleNumber::kLive},
    {PF_KEY_EXITED, ModuleNumber::kExited},
    {PF_KEY_RETIRED_ROWS, ModuleNumber::kRetiredRows},
    {PF_KEY_RETIRED_PREFIX PF_COL_FAULTS, ModuleNumber::kRetiredFaults},
    {PF_KEY_OVERFLOW_PREFIX PF_COL_FAULTS, ModuleNumber::kOverflowFaults},
    {PF_KEY_PROBE_MISSED, ModuleNumber::kProbeMissed},
    {PF_KEY_KERNEL_PGFAULT, ModuleNumber::kKernelPgfault},
    {PF_KEY_DRIFT, ModuleNumber::kDrift},
    {PF_KEY_ROWS_DIFFER, ModuleNumber::kRowsDiffer},
};

constexpr std::pair<const char*, HostCounter> kHostKeys[] = {
    {PF_COL_RETRIED, HostCounter::kRetried},
    {PF_COL_SIGBUS, HostCounter::kSigbus},
    {PF_COL_SIGSEGV, HostCounter::kSigsegv},
    {PF_COL_OOM, HostCounter::kOom},
    {PF_COL_HWPOISON, HostCounter::kHwpoison},
};

// The values of all keys.
using Values = std::map<std::string_view, std::string_view>;

std::optional<int64_t> NumberOf(const Values& values, const char* key) {
  const auto found = values.find(key);
  int64_t number;
  if (found == values.end() || !ParseNumber(found->second, &number))
    return std::nullopt;
  return number;
}

std::string TextOf(const Values& values, const char* key) {
  const auto found = values.find(key);
  return found == values.end() ? "" : ToValidUtf8(found->second);
}

// Copies the values of the known keys into their fields.
Stats StatsOf(const Values& values) {
  Stats stats;
  ModuleStats& module = stats.module;
  module.version = TextOf(values, PF_KEY_MODULE_VERSION);
  module.detail = TextOf(values, PF_KEY_DETAIL);
  module.hook = TextOf(values, PF_KEY_HOOK);
  module.hook_reason = TextOf(values, PF_KEY_HOOK_REASON);
  module.clock = TextOf(values, PF_KEY_CLOCK);
  for (const auto& [key, number] : kModuleKeys)
    module[number] = NumberOf(values, key);
  for (const auto& [key, counter] : kHostKeys)
    if (const auto number = NumberOf(values, key))
      stats.host[static_cast<size_t>(counter)] = static_cast<uint64_t>(*number);
  return stats;
}

}  // namespace

Result<Stats> ParseStats(std::string_view text, std::string_view file) {
  Values values;
  size_t lines = 0;
  const auto malformed = [&](const std::string& what) {
    return Error{Cause::kMalformed,
                 std::string(file) + ":" + std::to_string(lines) + ": " + what};
  };
  while (const auto line = TakeUntil(&text, '\n')) {
    ++lines;
    const size_t space = line->find(' ');
    if (space == std::string_view::npos || space == 0)
      return malformed("expected \"key value\"");
    values[line->substr(0, space)] = line->substr(space + 1);
  }
  const auto end = NumberOf(values, PF_KEY_END);
  if (!end || !text.empty() || *end != static_cast<int64_t>(lines) - 1)
    return Error{Cause::kTruncated,
                 std::string(file) + ": the text is cut short"};
  const auto version = NumberOf(values, PF_KEY_VERSION);
  if (!version) return malformed("no key version");
  if (*version != PF_FORMAT_VERSION)
    return Error{Cause::kUnknownVersion,
                 std::string(file) + ": format version " +
                     std::to_string(*version) + " is not known"};
  return StatsOf(values);
}

namespace {

std::vector<std::string_view> Split(std::string_view line) {
  std::vector<std::string_view> fields;
  while (const auto field = TakeUntil(&line, '\t')) fields.push_back(*field);
  fields.push_back(line);
  return fields;
}

// Parses `latency` line by line. Columns are found by name. Other columns, and
// lines with an unknown label, are skipped.
class LatencyReader {
 public:
  bool Columns(std::string_view line) {
    const auto names = Split(line);
    const auto find = [&names](std::string_view name, size_t* at) {
      *at = static_cast<size_t>(std::find(names.begin(), names.end(), name) -
                                names.begin());
      return *at < names.size();
    };
    columns_ = names.size();
    return find(PF_COL_LE_NS, &label_) && find(PF_COL_MINOR, &severity_[0]) &&
           find(PF_COL_MAJOR, &severity_[1]);
  }

  bool Line(std::string_view line) {
    const auto fields = Split(line);
    std::array<uint64_t, kSeverities> numbers{};
    if (fields.size() != columns_) return false;
    for (size_t s = 0; s < kSeverities; ++s)
      if (!ParseNumber(fields[severity_[s]], &numbers[s])) return false;
    return Add(fields[label_], numbers);
  }

  // Whether the lines are a valid histogram: complete, cumulative, and with a
  // last bucket that equals `count`.
  bool AddsUp() const {
    for (size_t s = 0; s < kSeverities; ++s) {
      const Histogram& histogram = latency_.severities[s];
      if (!std::is_sorted(histogram.counts.begin(), histogram.counts.end()) ||
          histogram.count != infinity_[s] ||
          (!histogram.counts.empty() && histogram.counts.back() > infinity_[s]))
        return false;
    }
    return has_infinity_ && has_sum_ && has_count_;
  }

  Latency& latency() { return latency_; }

 private:
  // Returns false if the bounds are not ascending.
  bool Add(std::string_view label,
           const std::array<uint64_t, kSeverities>& numbers) {
    uint64_t bound = 0;
    const bool is_bound = ParseNumber(label, &bound);
    if (is_bound && !latency_.bounds_ns.empty() &&
        bound <= latency_.bounds_ns.back())
      return false;
    if (is_bound) latency_.bounds_ns.push_back(bound);
    if (label == PF_LE_INF) infinity_ = numbers;
    has_infinity_ |= label == PF_LE_INF;
    has_sum_ |= label == PF_LE_SUM;
    has_count_ |= label == PF_LE_COUNT;
    for (size_t s = 0; s < kSeverities; ++s) {
      Histogram& histogram = latency_.severities[s];
      if (is_bound) histogram.counts.push_back(numbers[s]);
      if (label == PF_LE_SUM) histogram.sum_ns = numbers[s];
      if (label == PF_LE_COUNT) histogram.count = numbers[s];
    }
    return true;
  }

  size_t columns_ = 0, label_ = 0;
  std::array<size_t, kSeverities> severity_{};
  std::array<uint64_t, kSeverities> infinity_{};
  bool has_infinity_ = false, has_sum_ = false, has_count_ = false;
  Latency latency_;
};

}  // namespace

Result<Latency> ParseLatency(std::string_view text, std::string_view file) {
  LatencyReader reader;
  size_t lines = 0;
  const auto error = [&](Cause cause, const char* what) {
    return Error{cause,
                 std::string(file) + ":" + std::to_string(lines) + ": " + what};
  };
  while (const auto line = TakeUntil(&text, '\n')) {
    ++lines;
    if (lines == 1 && *line != PF_MAGIC + std::to_string(PF_FORMAT_VERSION))
      return error(Cause::kUnknownVersion, "unknown format version");
    if (lines == 1) continue;
    if (lines == 2) {
      if (!reader.Columns(*line))
        return error(Cause::kMalformed, "expected \"le TAB minor TAB major\"");
      continue;
    }
    if (line->starts_with(PF_TRAILER)) {
      size_t count = 0;
      if (!ParseNumber(line->substr(sizeof(PF_TRAILER) - 1), &count) ||
          count != lines - 3 || !text.empty())
        return error(Cause::kTruncated, "the text is cut short");
      if (!reader.AddsUp())
        return error(Cause::kMalformed, "the buckets do not add up");
      return std::move(reader.latency());
    }
    if (!reader.Line(*line))
      return error(Cause::kMalformed, "expected \"le TAB minor TAB major\"");
  }
  return error(Cause::kTruncated, "the text is cut short");
}

}  // namespace pfe
