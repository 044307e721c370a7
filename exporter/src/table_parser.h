// SPDX-License-Identifier: Apache-2.0
// The texts of the module, as kernel/include/page_faults.h defines them, to
// data. Pure: nothing is read or logged here.
//
// By hand since it is the hot path: a table of 10,000 rows is parsed every
// tick.
#ifndef EXPORTER_TABLE_PARSER_H_
#define EXPORTER_TABLE_PARSER_H_

#include <string_view>

#include "result.h"
#include "snapshot.h"

namespace pfe {

// Parses `processes` into snapshot->processes and ->offered. Columns are found
// by name: unknown ones are skipped, absent optional ones are "not offered".
// `file` is named in errors. On an error the snapshot's content is unspecified.
// Errors: kTruncated (no trailer, or not its number of rows), kUnknownVersion,
// kMalformed (with the line).
Result<Snapshot> ParseTable(std::string_view text, std::string_view file);

// Parses `stats`. Errors as ParseTable(); a value that is no number is a text.
Result<Stats> ParseStats(std::string_view text, std::string_view file);

// Parses `latency`. Errors as ParseTable().
Result<Latency> ParseLatency(std::string_view text, std::string_view file);

}  // namespace pfe

#endif  // EXPORTER_TABLE_PARSER_H_
