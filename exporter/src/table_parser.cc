// SPDX-License-Identifier: Apache-2.0
#include "table_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "page_faults.h"
#include "text.h"

namespace pfe {
namespace {

// Takes the front of `rest` up to `end` away, with `end`. Nothing if there is
// no `end`.
std::optional<std::string_view> TakeUntil(std::string_view* rest, char end) {
  const size_t at = rest->find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view taken = rest->substr(0, at);
  rest->remove_prefix(at + 1);
  return taken;
}

template <typename Number>
bool ParseNumber(std::string_view text, Number* number) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && at == end;
}

// What a column is: a number of a process, one of the special ones, or
// unknown and so skipped.
struct Column {
  enum Kind { kUnknown, kNumber, kState, kBreakdownText, kComm } kind;
  uint64_t Process::*number = nullptr;
};

struct NumberColumn {
  std::string_view name;
  uint64_t Process::*number;
  bool mandatory;
};
constexpr NumberColumn kNumberColumns[] = {
    {PF_COL_PID, &Process::pid, true},
    {PF_COL_START_NS, &Process::start_ns, true},
    {PF_COL_VMA_KB, &Process::vma_kb, true},
    {PF_COL_RSS_KB, &Process::rss_kb, true},
    {PF_COL_FAULTS, &Process::faults, true},
    {PF_COL_MINOR, &Process::minor, false},
    {PF_COL_MAJOR, &Process::major, false},
    {PF_COL_RSS_ANON_KB, &Process::rss_anon_kb, false},
    {PF_COL_RSS_FILE_KB, &Process::rss_file_kb, false},
    {PF_COL_RSS_SHMEM_KB, &Process::rss_shmem_kb, false},
    {PF_COL_SWAP_KB, &Process::swap_kb, false},
    {PF_COL_STALL_NS, &Process::stall_ns, false},
};

Column ColumnOf(std::string_view name) {
  for (const NumberColumn& column : kNumberColumns)
    if (name == column.name) return {Column::kNumber, column.number};
  if (name == PF_COL_STATE) return {Column::kState};
  if (name == PF_COL_BREAKDOWN) return {Column::kBreakdownText};
  if (name == PF_COL_COMM) return {Column::kComm};
  return {Column::kUnknown};
}

std::optional<size_t> IndexOf(std::string_view letters, char letter) {
  const size_t at = letters.find(letter);
  return at == std::string_view::npos ? std::nullopt : std::optional(at);
}

// One `<s><a><k>=<count>` of the breakdown.
bool ParseBreakdownPart(std::string_view part, Process* process) {
  if (part.size() < 5 || part[3] != '=') return false;
  const auto severity = IndexOf(PF_BREAKDOWN_SEVERITIES, part[0]);
  const auto access = IndexOf(PF_BREAKDOWN_ACCESSES, part[1]);
  const auto kind = IndexOf(PF_BREAKDOWN_KINDS, part[2]);
  if (!severity || !access || !kind) return false;
  return ParseNumber(
      part.substr(4),
      &process->breakdown[(*severity * kAccesses + *access) * kKinds + *kind]);
}

bool ParseBreakdown(std::string_view text, Process* process) {
  if (text == "-") return true;
  while (const auto part = TakeUntil(&text, ','))
    if (!ParseBreakdownPart(*part, process)) return false;
  return ParseBreakdownPart(text, process);
}

bool ParseState(std::string_view text, Process* process) {
  process->live = text == PF_STATE_LIVE;
  return process->live || text == PF_STATE_EXITED;
}

bool ParseComm(std::string_view text, Process* process) {
  if (text.find('\\') == std::string_view::npos) {
    process->comm = ToValidUtf8(text);
    return true;
  }
  const std::optional<std::string> bytes = Unescape(text);
  if (bytes) process->comm = ToValidUtf8(*bytes);
  return bytes.has_value();
}

bool ParseField(const Column& column, std::string_view text,
                Process* process) {
  switch (column.kind) {
    case Column::kUnknown: return true;
    case Column::kNumber: return ParseNumber(text, &(process->*column.number));
    case Column::kState: return ParseState(text, process);
    case Column::kBreakdownText: return ParseBreakdown(text, process);
    case Column::kComm: return ParseComm(text, process);
  }
  return false;
}

class TableParser {
 public:
  TableParser(std::string_view text, std::string_view file)
      : rest_(text), file_(file) {}

  Result<Snapshot> Parse() {
    if (auto error = ParseHead()) return *error;
    if (auto error = ParseRows()) return *error;
    return std::move(snapshot_);
  }

 private:
  Error Malformed(const std::string& what) const {
    return {Cause::kMalformed, std::string(file_) + ":" +
                                   std::to_string(line_number_) + ": " + what};
  }
  Error Truncated(const std::string& what) const {
    return {Cause::kTruncated,
            std::string(file_) + ": the text is cut short: " + what};
  }

  bool NextLine(std::string_view* line) {
    const auto taken = TakeUntil(&rest_, '\n');
    ++line_number_;
    if (taken) *line = *taken;
    return taken.has_value();
  }

  std::optional<Error> ParseHead() {
    std::string_view line;
    int version = 0;
    if (!NextLine(&line)) return Truncated("no first line");
    if (!line.starts_with(PF_MAGIC) ||
        !ParseNumber(line.substr(sizeof(PF_MAGIC) - 1), &version))
      return Malformed("expected \"" PF_MAGIC "<version>\"");
    if (version != PF_FORMAT_VERSION)
      return Error{Cause::kUnknownVersion,
                   std::string(file_) + ": format version " +
                       std::to_string(version) + ", but only " +
                       std::to_string(PF_FORMAT_VERSION) +
                       " is known: exporter and module do not match"};
    if (!NextLine(&line)) return Truncated("no line of column names");
    return ParseColumns(line);
  }

  std::optional<Error> ParseColumns(std::string_view line) {
    std::vector<std::string_view> names;
    while (const auto name = TakeUntil(&line, '\t')) names.push_back(*name);
    names.push_back(line);
    for (std::string_view name : names) {
      const Column column = ColumnOf(name);
      if (column.kind != Column::kUnknown &&
          std::count(names.begin(), names.end(), name) > 1)
        return Malformed("two columns " + std::string(name));
      columns_.push_back(column);
    }
    const auto has = [&names](std::string_view name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    for (const NumberColumn& column : kNumberColumns)
      if (column.mandatory && !has(column.name))
        return Malformed("no column " + std::string(column.name));
    for (const char* name : {PF_COL_STATE, PF_COL_COMM})
      if (!has(name)) return Malformed(std::string("no column ") + name);
    snapshot_.offered = {
        has(PF_COL_RSS_ANON_KB) && has(PF_COL_RSS_FILE_KB) &&
            has(PF_COL_RSS_SHMEM_KB),
        has(PF_COL_SWAP_KB), has(PF_COL_MINOR) && has(PF_COL_MAJOR),
        has(PF_COL_STALL_NS), has(PF_COL_BREAKDOWN)};
    return std::nullopt;
  }

  std::optional<Error> ParseRows() {
    std::string_view line;
    while (NextLine(&line)) {
      if (line.starts_with('#')) return ParseTrailer(line);
      if (auto error = ParseRow(line)) return error;
    }
    return Truncated("no \"" PF_TRAILER "<n>\" at its end");
  }

  std::optional<Error> ParseRow(std::string_view line) {
    Process& process = snapshot_.processes.emplace_back();
    for (size_t i = 0; i < columns_.size(); ++i) {
      std::string_view field = line;
      if (i + 1 < columns_.size()) {
        const auto taken = TakeUntil(&line, '\t');
        if (!taken)
          return Malformed("only " + std::to_string(i + 1) + " of " +
                           std::to_string(columns_.size()) + " fields");
        field = *taken;
      } else if (field.find('\t') != std::string_view::npos) {
        return Malformed("more than " + std::to_string(columns_.size()) +
                         " fields");
      }
      if (!ParseField(columns_[i], field, &process))
        return Malformed("field " + std::to_string(i + 1) +
                         " is not understood: \"" +
                         ToValidUtf8(field.substr(0, 80)) + "\"");
    }
    return std::nullopt;
  }

  std::optional<Error> ParseTrailer(std::string_view line) {
    size_t rows = 0;
    if (!line.starts_with(PF_TRAILER) ||
        !ParseNumber(line.substr(sizeof(PF_TRAILER) - 1), &rows))
      return Malformed("expected a row or \"" PF_TRAILER "<n>\"");
    if (rows != snapshot_.processes.size())
      return Truncated(std::to_string(snapshot_.processes.size()) + " of " +
                       std::to_string(rows) + " rows");
    if (!rest_.empty()) return Malformed("text behind the last line");
    return std::nullopt;
  }

  std::string_view rest_;
  const std::string_view file_;
  size_t line_number_ = 0;
  std::vector<Column> columns_;
  Snapshot snapshot_;
};

}  // namespace

Result<Snapshot> ParseTable(std::string_view text, std::string_view file) {
  return TableParser(text, file).Parse();
}

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
