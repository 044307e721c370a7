// SPDX-License-Identifier: Apache-2.0
#include "source/table_parser.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "base/utf8.h"
#include "page_faults.h"
#include "source/fields.h"
#include "source/unescape.h"

namespace pfe {
namespace {

// Far above what the module writes. A longer line means that the file is
// something else.
constexpr size_t kLongestLine = 65536;
constexpr size_t kLongestComm = 1024;  // escaped

// They are exported in bytes.
constexpr uint64_t kMostKilobytes = std::numeric_limits<uint64_t>::max() / 1024;

struct NumberColumn {
  std::string_view name;
  uint64_t Process::*number;
  bool mandatory;
};
constexpr NumberColumn kNumberColumns[] = {
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
    {PF_COL_HUGETLB_KB, &Process::hugetlb_kb, false},
    {PF_COL_STALL_NS, &Process::stall_ns, false},
    {PF_COL_CGROUP, &Process::cgroup, false},
};

// By the index of the bound in kSlowBounds.
constexpr std::array<std::string_view, kSlowBounds.size()> kSlowColumns = {
    PF_COL_SLOW_1MS, PF_COL_SLOW_10MS, PF_COL_SLOW_100MS, PF_COL_SLOW_1S};

const char* FieldEnd(const char* at, const char* end) {
  const void* tab = memchr(at, '\t', static_cast<size_t>(end - at));
  return tab ? static_cast<const char*>(tab) : end;
}

// Removes `word` if it is the whole field.
bool TakeWord(std::string_view word, const char** at, const char* end) {
  if (!std::string_view(*at, static_cast<size_t>(end - *at)).starts_with(word))
    return false;
  const char* const behind = *at + word.size();
  if (behind != end && *behind != '\t') return false;
  *at = behind;
  return true;
}

// The index of a cell from its three letters `<s><a><k>`; nothing if a letter
// is unknown.
std::optional<size_t> CellOf(const char* letters) {
  const auto index = [](std::string_view all, char letter) {
    return std::min(all.find(letter), all.size());
  };
  const size_t s = index(PF_BREAKDOWN_SEVERITIES, letters[0]);
  const size_t a = index(PF_BREAKDOWN_ACCESSES, letters[1]);
  const size_t k = index(PF_BREAKDOWN_KINDS, letters[2]);
  if (s == kSeverities || a == kAccesses || k == kKinds) return std::nullopt;
  return (s * kAccesses + a) * kKinds + k;
}

}  // namespace

TableParser::Column TableParser::ColumnOf(std::string_view name) {
  for (const NumberColumn& column : kNumberColumns)
    if (name == column.name)
      return {name.ends_with("_kb") ? Column::Kind::kKilobytes
                                    : Column::Kind::kNumber,
              column.number};
  for (size_t i = 0; i < kSlowColumns.size(); ++i)
    if (name == kSlowColumns[i]) return {Column::Kind::kSlow, nullptr, i};
  if (name == PF_COL_PID) return {Column::Kind::kPid};
  if (name == PF_COL_STATE) return {Column::Kind::kState};
  if (name == PF_COL_BREAKDOWN) return {Column::Kind::kCells};
  if (name == PF_COL_COMM) return {Column::Kind::kComm};
  return {Column::Kind::kUnknown};
}

Error TableParser::Malformed(const std::string& what) const {
  return {Cause::kMalformed, std::string(file_) + ":" +
                                 std::to_string(line_number_) + ": " + what};
}

Error TableParser::Truncated(const std::string& what) const {
  return {Cause::kTruncated,
          std::string(file_) + ": the text is cut short: " + what};
}

std::optional<Error> TableParser::Feed(std::string_view text) {
  while (!text.empty()) {
    const std::optional<std::string_view> taken = TakeUntil(&text, '\n');
    if (!taken || !cut_.empty()) {
      cut_ += taken ? *taken : text;
      if (cut_.size() > kLongestLine) {
        ++line_number_;
        return Malformed("the line is too long");
      }
      if (!taken) return std::nullopt;
    }
    if (auto error = Line(cut_.empty() ? *taken : std::string_view(cut_)))
      return error;
    cut_.clear();
  }
  return std::nullopt;
}

std::optional<Error> TableParser::Finish() const {
  switch (part_) {
    case Part::kMagic:
      return Truncated("no first line");
    case Part::kColumns:
      return Truncated("no line of column names");
    case Part::kRows:
      return Truncated("no \"" PF_TRAILER "<n>\" at its end");
    case Part::kEnd:
      break;
  }
  if (!cut_.empty()) return Malformed("text behind the last line");
  return std::nullopt;
}

std::optional<Error> TableParser::Line(std::string_view line) {
  ++line_number_;
  if (line.size() > kLongestLine) return Malformed("the line is too long");
  switch (part_) {
    case Part::kMagic:
      return Magic(line);
    case Part::kColumns:
      return Columns(line);
    case Part::kRows:
      return line.starts_with('#') ? Trailer(line) : Row(line);
    case Part::kEnd:
      break;
  }
  return Malformed("text behind the last line");
}

std::optional<Error> TableParser::Magic(std::string_view line) {
  std::optional<uint64_t> version;
  if (line.starts_with(PF_MAGIC))
    version = NumberOrLargest(line.substr(sizeof(PF_MAGIC) - 1));
  if (!version) return Malformed("expected \"" PF_MAGIC "<version>\"");
  if (*version != PF_FORMAT_VERSION)
    return Error{Cause::kUnknownVersion,
                 std::string(file_) + ": format version " +
                     std::to_string(*version) + ", but only " +
                     std::to_string(PF_FORMAT_VERSION) +
                     " is known: exporter and module do not match"};
  part_ = Part::kColumns;
  return std::nullopt;
}

std::optional<Error> TableParser::Columns(std::string_view line) {
  std::vector<std::string_view> names;
  while (const auto name = TakeUntil(&line, '\t')) names.push_back(*name);
  names.push_back(line);
  for (std::string_view name : names) {
    const Column column = ColumnOf(name);
    if (column.kind != Column::Kind::kUnknown &&
        std::count(names.begin(), names.end(), name) > 1)
      return Malformed("two columns " + std::string(name));
    columns_.push_back(column);
  }
  const auto has = [&names](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const char* name : {PF_COL_PID, PF_COL_STATE, PF_COL_COMM})
    if (!has(name)) return Malformed(std::string("no column ") + name);
  for (const NumberColumn& column : kNumberColumns)
    if (column.mandatory && !has(column.name))
      return Malformed("no column " + std::string(column.name));
  snapshot_->offered = {
      has(PF_COL_RSS_ANON_KB) && has(PF_COL_RSS_FILE_KB) &&
          has(PF_COL_RSS_SHMEM_KB),
      has(PF_COL_SWAP_KB),
      has(PF_COL_MINOR) && has(PF_COL_MAJOR),
      has(PF_COL_STALL_NS),
      has(PF_COL_BREAKDOWN),
      has(PF_COL_HUGETLB_KB),
      std::all_of(kSlowColumns.begin(), kSlowColumns.end(), has),
      has(PF_COL_CGROUP)};
  part_ = Part::kRows;
  return std::nullopt;
}

bool TableParser::TakePid(const char** at, const char* end,
                          Process* process) const {
  uint64_t pid = 0;
  if (!TakeNumber(at, end, &pid) || pid > std::numeric_limits<uint32_t>::max())
    return false;
  process->pid = static_cast<uint32_t>(pid);
  return true;
}

// "-", or `<s><a><k>=<count>` with commas between.
bool TableParser::TakeBreakdown(const char** at, const char* end,
                                Process* process) {
  if (TakeWord("-", at, end)) return true;
  Breakdown counts;
  uint32_t cells = 0;
  const char* next = *at;
  for (;; ++next) {
    if (end - next < 5 || next[3] != '=') return false;
    const auto cell = CellOf(next);
    next += 4;
    if (!cell || (cells & 1u << *cell) ||
        !TakeNumber(&next, end, &counts[*cell]))
      return false;
    cells |= 1u << *cell;
    if (next == end || *next != ',') break;
  }
  *at = next;
  snapshot_->processes.SetBreakdown(cells, counts, process);
  return true;
}

bool TableParser::SetComm(std::string_view text) {
  if (text.size() > kLongestComm) return false;
  const auto is_plain = [](char c) {
    return c != '\\' && static_cast<unsigned char>(c) < 0x80;
  };
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    snapshot_->processes.SetComm(text);
    return true;
  }
  const std::optional<std::string> bytes = Unescape(text);
  if (bytes) snapshot_->processes.SetComm(ToValidUtf8(*bytes));
  return bytes.has_value();
}

// Parses the field at *at. If it is well-formed, *at is its end afterwards.
bool TableParser::TakeField(const Column& column, const char** at,
                            const char* end, Process* process) {
  switch (column.kind) {
    case Column::Kind::kUnknown:
      *at = FieldEnd(*at, end);
      return true;
    case Column::Kind::kNumber:
      return TakeNumber(at, end, &(process->*column.number));
    case Column::Kind::kKilobytes:
      return TakeNumber(at, end, &(process->*column.number)) &&
             process->*column.number <= kMostKilobytes;
    case Column::Kind::kSlow:
      return TakeNumber(at, end, &slow_[column.bound]);
    case Column::Kind::kPid:
      return TakePid(at, end, process);
    case Column::Kind::kState:
      process->live = TakeWord(PF_STATE_LIVE, at, end);
      return process->live || TakeWord(PF_STATE_EXITED, at, end);
    case Column::Kind::kCells:
      return TakeBreakdown(at, end, process);
    case Column::Kind::kComm:
      break;
  }
  const char* const start = *at;
  *at = FieldEnd(start, end);
  return SetComm(std::string_view(start, static_cast<size_t>(*at - start)));
}

std::optional<Error> TableParser::Row(std::string_view line) {
  Process* const process = snapshot_->processes.Add();
  const char* at = line.data();
  const char* const end = at + line.size();
  for (size_t i = 0; i < columns_.size(); ++i) {
    const char* const start = at;
    const bool last = i + 1 == columns_.size();
    if (!TakeField(columns_[i], &at, end, process) ||
        (last ? at != end : at == end || *at != '\t'))
      return BadRow(i, line.substr(static_cast<size_t>(start - line.data())));
    ++at;
  }
  if (snapshot_->offered.slow) snapshot_->processes.SetSlow(slow_, process);
  return std::nullopt;
}

// The error for a row whose field of this column is malformed. `rest` begins
// with that field.
Error TableParser::BadRow(size_t column, std::string_view rest) const {
  const size_t end = rest.find('\t');
  const bool last = column + 1 == columns_.size();
  if (!last && end == std::string_view::npos)
    return Malformed("only " + std::to_string(column + 1) + " of " +
                     std::to_string(columns_.size()) + " fields");
  if (last && end != std::string_view::npos)
    return Malformed("more than " + std::to_string(columns_.size()) +
                     " fields");
  const std::string_view field = rest.substr(0, std::min(end, size_t{80}));
  return Malformed("field " + std::to_string(column + 1) +
                   " is not understood: \"" + ToValidUtf8(field) + "\"");
}

std::optional<Error> TableParser::Trailer(std::string_view line) {
  size_t rows = 0;
  if (!line.starts_with(PF_TRAILER) ||
      !ParseNumber(line.substr(sizeof(PF_TRAILER) - 1), &rows))
    return Malformed("expected a row or \"" PF_TRAILER "<n>\"");
  if (rows != snapshot_->processes.size())
    return Truncated(std::to_string(snapshot_->processes.size()) + " of " +
                     std::to_string(rows) + " rows");
  part_ = Part::kEnd;
  return std::nullopt;
}

std::optional<Error> ParseTable(std::string_view text, std::string_view file,
                                Snapshot* snapshot) {
  snapshot->Clear();
  TableParser parser(file, snapshot);
  if (auto error = parser.Feed(text)) return error;
  return parser.Finish();
}

}  // namespace pfe
