// SPDX-License-Identifier: Apache-2.0
// Parses the module's file `processes`, which kernel/include/page_faults.h
// defines. The parser reads no file and logs nothing. It is written by hand
// because a table of 10,000 rows is parsed every tick; it takes the text in
// pieces, as they are read.
//
// The column names come first and say which fields a row has.
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
  // Fills snapshot->processes, which must be empty, and snapshot->offered.
  // Columns are found by name: unknown columns are skipped, and an absent
  // optional column is not offered. `file` is named in errors. Both arguments
  // must outlive the parser.
  TableParser(std::string_view file, Snapshot* snapshot)
      : file_(file), snapshot_(snapshot) {}

  // Parses the next piece of the text; a piece may end anywhere. After an error
  // the content of the snapshot is unspecified. Errors: kTruncated (no trailer,
  // or another number of rows than it says), kUnknownVersion, kMalformed (with
  // the line).
  std::optional<Error> Feed(std::string_view text);
  // Called after the last piece. Returns an error if the text is incomplete.
  std::optional<Error> Finish() const;

 private:
  // What a column holds: one of the numbers of Process, one of the fields with
  // a format of its own, or something unknown, which is skipped.
  struct Column {
    enum class Kind {
      kUnknown,
      kNumber,
      kKilobytes,
      kSlow,
      kPid,
      kState,
      kCells,
      kComm
    };
    Kind kind;
    uint64_t Process::*number = nullptr;
    size_t bound = 0;  // of slow faults
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
  Part part_ = Part::kMagic;  // the part that comes next
  size_t line_number_ = 0;
  SlowFaults slow_{};  // of the row that is parsed
  std::vector<Column> columns_;
  std::string cut_;  // the start of a line that the last piece cut
};

// Parses a whole text, for tests and benchmarks. The source parses pieces.
std::optional<Error> ParseTable(std::string_view text, std::string_view file,
                                Snapshot* snapshot);

}  // namespace pfe

#endif  // EXPORTER_SOURCE_TABLE_PARSER_H_
