// SPDX-License-Identifier: Apache-2.0
// The module's `processes`, as kernel/include/page_faults.h defines it, to
// data. Pure: nothing is read or logged here.
//
// By hand since it is the hot path: a table of 10,000 rows is parsed every
// tick, piece by piece as it is read.
#ifndef EXPORTER_SOURCE_TABLE_PARSER_H_
#define EXPORTER_SOURCE_TABLE_PARSER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/snapshot.h"

namespace pfe {

class TableParser {
 public:
  // Fills snapshot->processes, which is empty, and ->offered. Columns are found
  // by name: unknown ones are skipped, absent optional ones are "not offered".
  // `file` is named in errors. Both must outlive it.
  TableParser(std::string_view file, Snapshot* snapshot)
      : file_(file), snapshot_(snapshot) {}

  // Takes the next piece of the text; pieces may end anywhere. After an error
  // the snapshot's content is unspecified.
  // Errors: kTruncated (no trailer, or not its number of rows),
  // kUnknownVersion, kMalformed (with the line).
  std::optional<Error> Feed(std::string_view text);
  // After the last piece: whether the text was whole.
  std::optional<Error> Finish() const;

 private:
  // What a column is: a number of a process, one of the special ones, or
  // unknown and so skipped.
  struct Column {
    enum Kind { kUnknown, kNumber, kPid, kState, kBreakdown, kComm } kind;
    uint64_t Process::*number = nullptr;
  };
  enum class Part { kMagic, kColumns, kRows, kEnd };

  static Column ColumnOf(std::string_view name);
  Error Malformed(const std::string& what) const;
  Error Truncated(const std::string& what) const;
  std::optional<Error> Line(std::string_view line);
  std::optional<Error> Magic(std::string_view line);
  std::optional<Error> Columns(std::string_view line);
  std::optional<Error> Row(std::string_view line);
  Error BadRow(size_t column, std::string_view rest) const;
  bool TakeField(const Column& column, const char** at, const char* end,
                 Process* process);
  bool TakePid(const char** at, const char* end, Process* process) const;
  bool TakeBreakdown(const char** at, const char* end, Process* process);
  bool SetComm(std::string_view text);
  std::optional<Error> Trailer(std::string_view line);

  const std::string_view file_;
  Snapshot* const snapshot_;
  Part part_ = Part::kMagic;  // that comes next
  size_t line_number_ = 0;
  std::vector<Column> columns_;
  std::string cut_;  // the line that the last piece ended in
};

// A text that is there as a whole.
std::optional<Error> ParseTable(std::string_view text, std::string_view file,
                                Snapshot* snapshot);

}  // namespace pfe

#endif  // EXPORTER_SOURCE_TABLE_PARSER_H_
