// SPDX-License-Identifier: Apache-2.0
#include "source/stats_parser.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "page_faults.h"
#include "source/fields.h"

namespace pfe {

namespace {

constexpr std::pair<std::string_view, ModuleNumber> kModuleKeys[] = {
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

constexpr std::pair<std::string_view, HostCounter> kHostKeys[] = {
    {PF_COL_RETRIED, HostCounter::kRetried},
    {PF_COL_SIGBUS, HostCounter::kSigbus},
    {PF_COL_SIGSEGV, HostCounter::kSigsegv},
    {PF_COL_OOM, HostCounter::kOom},
    {PF_COL_HWPOISON, HostCounter::kHwpoison},
};

using ModuleText = std::string ModuleStats::*;
constexpr std::pair<std::string_view, ModuleText> kTextKeys[] = {
    {PF_KEY_MODULE_VERSION, &ModuleStats::version},
    {PF_KEY_DETAIL, &ModuleStats::detail},
    {PF_KEY_HOOK, &ModuleStats::hook},
    {PF_KEY_HOOK_REASON, &ModuleStats::hook_reason},
    {PF_KEY_CLOCK, &ModuleStats::clock},
};

// Only the drift is signed. No other number needs the highest bit.
bool TakeModuleNumber(ModuleNumber of, std::string_view value,
                      ModuleStats* module) {
  int64_t number = 0;
  if (!ParseNumber(value, &number) ||
      (of != ModuleNumber::kDrift && value.starts_with('-')))
    return false;
  (*module)[of] = number;
  return true;
}

// Copies the value of a known key into its field. Returns false if the value is
// not what this key has.
bool TakeValue(std::string_view key, std::string_view value, Stats* stats) {
  for (const auto& [name, text] : kTextKeys)
    if (key == name) stats->module.*text = ToValidUtf8(value);
  for (const auto& [name, number] : kModuleKeys)
    if (key == name) return TakeModuleNumber(number, value, &stats->module);
  for (const auto& [name, counter] : kHostKeys)
    if (key == name)
      return ParseNumber(value,
                         &stats->host[static_cast<size_t>(counter)].emplace());
  return true;
}

// Parses `stats` line by line.
class StatsReader {
 public:
  explicit StatsReader(std::string_view file) : file_(file) {}

  std::optional<Error> Line(std::string_view line) {
    ++lines_;
    if (end_) return Malformed("text behind the last line");
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || space == 0)
      return Malformed("expected \"key value\"");
    const std::string_view key = line.substr(0, space);
    const std::string_view value = line.substr(space + 1);
    if (!keys_.insert(key).second)
      return Malformed("the key " + ToValidUtf8(Start(key)) +
                       " is there twice");
    if (key == PF_KEY_VERSION) return Version(value);
    if (key == PF_KEY_END ? !ParseNumber(value, &end_.emplace())
                          : !TakeValue(key, value, &stats_))
      return NotUnderstood(key, value);
    return std::nullopt;
  }

  // `rest` is the text behind the last newline.
  Result<Stats> Finish(std::string_view rest) {
    if (!end_ || !rest.empty() || *end_ != lines_ - 1)
      return Error{Cause::kTruncated,
                   std::string(file_) + ": the text is cut short"};
    if (!keys_.contains(PF_KEY_VERSION)) return Malformed("no key version");
    return std::move(stats_);
  }

 private:
  static std::string_view Start(std::string_view text) {
    return text.substr(0, 80);
  }
  Error Malformed(const std::string& what) const {
    return {Cause::kMalformed,
            std::string(file_) + ":" + std::to_string(lines_) + ": " + what};
  }
  Error NotUnderstood(std::string_view key, std::string_view value) const {
    return Malformed(std::string(key) + " is not understood: \"" +
                     ToValidUtf8(Start(value)) + "\"");
  }
  std::optional<Error> Version(std::string_view value) const {
    const auto version = NumberOrLargest(value);
    if (!version) return NotUnderstood(PF_KEY_VERSION, value);
    if (*version == PF_FORMAT_VERSION) return std::nullopt;
    return Error{Cause::kUnknownVersion,
                 std::string(file_) + ": format version " +
                     std::to_string(*version) + " is not known"};
  }

  const std::string_view file_;
  size_t lines_ = 0;
  std::set<std::string_view> keys_;
  std::optional<uint64_t> end_;  // the number of lines before it
  Stats stats_;
};

}  // namespace

Result<Stats> ParseStats(std::string_view text, std::string_view file) {
  StatsReader reader(file);
  while (const auto line = TakeUntil(&text, '\n'))
    if (auto error = reader.Line(*line)) return *error;
  return reader.Finish(text);
}

namespace {

std::vector<std::string_view> Split(std::string_view line) {
  std::vector<std::string_view> fields;
  while (const auto field = TakeUntil(&line, '\t')) fields.push_back(*field);
  fields.push_back(line);
  return fields;
}

// The version in the first line of `latency`; nothing if it is no such line.
std::optional<uint64_t> VersionIn(std::string_view line) {
  if (!line.starts_with(PF_MAGIC)) return std::nullopt;
  return NumberOrLargest(line.substr(sizeof(PF_MAGIC) - 1));
}

// Parses `latency` line by line. Columns are found by name. Other columns, and
// lines with an unknown label, are skipped.
class LatencyReader {
 public:
  static constexpr const char* kNoLine = "expected \"le TAB minor TAB major\"";

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

  // Returns what is wrong; null if the line is good.
  const char* Line(std::string_view line) {
    const auto fields = Split(line);
    std::array<uint64_t, kSeverities> numbers{};
    if (fields.size() != columns_) return kNoLine;
    for (size_t s = 0; s < kSeverities; ++s)
      if (!ParseNumber(fields[severity_[s]], &numbers[s])) return kNoLine;
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
  const char* Add(std::string_view label,
                  const std::array<uint64_t, kSeverities>& numbers) {
    if (label == PF_LE_INF) {
      infinity_ = numbers;
      return Once("the line inf is there twice", &has_infinity_);
    }
    if (label == PF_LE_SUM) {
      for (size_t s = 0; s < kSeverities; ++s)
        latency_.severities[s].sum_ns = numbers[s];
      return Once("the line sum is there twice", &has_sum_);
    }
    if (label == PF_LE_COUNT) {
      for (size_t s = 0; s < kSeverities; ++s)
        latency_.severities[s].count = numbers[s];
      return Once("the line count is there twice", &has_count_);
    }
    const auto bound = NumberOrLargest(label);
    return bound ? AddBucket(*bound, numbers) : nullptr;
  }

  static const char* Once(const char* twice, bool* is_there) {
    return std::exchange(*is_there, true) ? twice : nullptr;
  }

  const char* AddBucket(uint64_t bound,
                        const std::array<uint64_t, kSeverities>& numbers) {
    if (bound == std::numeric_limits<uint64_t>::max())
      return "the bound is too large";
    if (!latency_.bounds_ns.empty() && bound <= latency_.bounds_ns.back())
      return "the bounds are not ascending";
    latency_.bounds_ns.push_back(bound);
    for (size_t s = 0; s < kSeverities; ++s)
      latency_.severities[s].counts.push_back(numbers[s]);
    return nullptr;
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
    if (lines == 1) {
      const auto version = VersionIn(*line);
      if (!version)
        return error(Cause::kMalformed, "expected \"" PF_MAGIC "<version>\"");
      if (*version != PF_FORMAT_VERSION)
        return error(Cause::kUnknownVersion, "unknown format version");
      continue;
    }
    if (lines == 2) {
      if (!reader.Columns(*line))
        return error(Cause::kMalformed, LatencyReader::kNoLine);
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
    if (const char* wrong = reader.Line(*line))
      return error(Cause::kMalformed, wrong);
  }
  return error(Cause::kTruncated, "the text is cut short");
}

}  // namespace pfe
