// SPDX-License-Identifier: Apache-2.0
#include "stats_parser.h"

#include <array>
#include <optional>
#include <string>

#include "fields.h"
#include "page_faults.h"
#include "text.h"

namespace pfe {

Result<Stats> ParseStats(std::string_view text, std::string_view file) {
  Stats stats;
  size_t lines = 0;
  const auto malformed = [&](const std::string& what) {
    return Error{Cause::kMalformed, std::string(file) + ":" +
                                        std::to_string(lines) + ": " + what};
  };
  while (const auto line = TakeUntil(&text, '\n')) {
    ++lines;
    const size_t space = line->find(' ');
    if (space == std::string_view::npos || space == 0)
      return malformed("expected \"key value\"");
    const std::string key(line->substr(0, space));
    const std::string_view value = line->substr(space + 1);
    int64_t number;
    if (ParseNumber(value, &number))
      stats.numbers[key] = number;
    else
      stats.texts[key] = ToValidUtf8(value);
  }
  const auto version = stats.numbers.find(PF_KEY_VERSION);
  const auto end = stats.numbers.find(PF_KEY_END);
  if (end == stats.numbers.end() || !text.empty() ||
      end->second + 1 != static_cast<int64_t>(lines))
    return Error{Cause::kTruncated,
                 std::string(file) + ": the text is cut short"};
  if (version == stats.numbers.end()) return malformed("no key version");
  if (version->second != PF_FORMAT_VERSION)
    return Error{Cause::kUnknownVersion,
                 std::string(file) + ": format version " +
                     std::to_string(version->second) + " is not known"};
  return stats;
}

namespace {

// One line `name TAB minor TAB major`.
struct LatencyLine {
  std::string_view name;
  std::array<uint64_t, kSeverities> numbers{};
};

std::optional<LatencyLine> ParseLatencyLine(std::string_view line) {
  LatencyLine parsed;
  const auto name = TakeUntil(&line, '\t');
  const auto minor = TakeUntil(&line, '\t');
  if (!name || !minor || !ParseNumber(*minor, &parsed.numbers[0]) ||
      !ParseNumber(line, &parsed.numbers[1]))
    return std::nullopt;
  parsed.name = *name;
  return parsed;
}

// Adds a line to the histogram; false if it has no place there.
bool AddLatencyLine(const LatencyLine& line, Latency* latency) {
  uint64_t bound = 0;
  const bool is_bound = ParseNumber(line.name, &bound);
  if (is_bound && !latency->bounds_ns.empty() &&
      bound <= latency->bounds_ns.back())
    return false;
  if (is_bound) latency->bounds_ns.push_back(bound);
  for (size_t s = 0; s < kSeverities; ++s) {
    Histogram& histogram = latency->severities[s];
    if (is_bound)
      histogram.counts.push_back(line.numbers[s]);
    else if (line.name == PF_LE_SUM)
      histogram.sum_ns = line.numbers[s];
    else if (line.name == PF_LE_COUNT)
      histogram.count = line.numbers[s];
    else if (line.name != PF_LE_INF)
      return false;
  }
  return true;
}

}  // namespace

Result<Latency> ParseLatency(std::string_view text, std::string_view file) {
  Latency latency;
  size_t lines = 0;
  const auto error = [&](Cause cause, const char* what) {
    return Error{cause, std::string(file) + ":" + std::to_string(lines) + ": " +
                            what};
  };
  while (const auto line = TakeUntil(&text, '\n')) {
    ++lines;
    if (lines == 1 && *line != PF_MAGIC + std::to_string(PF_FORMAT_VERSION))
      return error(Cause::kUnknownVersion, "unknown format version");
    if (lines <= 2) continue;
    if (line->starts_with(PF_TRAILER)) {
      size_t count = 0;
      if (!ParseNumber(line->substr(sizeof(PF_TRAILER) - 1), &count) ||
          count + 3 != lines || !text.empty())
        return error(Cause::kTruncated, "the text is cut short");
      return latency;
    }
    const auto parsed = ParseLatencyLine(*line);
    if (!parsed || !AddLatencyLine(*parsed, &latency))
      return error(Cause::kMalformed, "expected \"le TAB minor TAB major\"");
  }
  return error(Cause::kTruncated, "the text is cut short");
}

}  // namespace pfe
