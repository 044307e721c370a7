// SPDX-License-Identifier: Apache-2.0
// Parses the module's files `stats` and `latency`, which
// kernel/include/page_faults.h defines. The functions read no file and log
// nothing.
#ifndef EXPORTER_SOURCE_STATS_PARSER_H_
#define EXPORTER_SOURCE_STATS_PARSER_H_

#include <string_view>

#include "base/result.h"
#include "base/snapshot.h"

namespace pfe {

// What the file `stats` says.
struct Stats {
  ModuleStats module;
  HostCounters host;
};

// Parses `stats`. `file` is named in errors: kTruncated, kUnknownVersion,
// kMalformed (with the line).
Result<Stats> ParseStats(std::string_view text, std::string_view file);

// Parses `latency`. Errors as for ParseStats().
Result<Latency> ParseLatency(std::string_view text, std::string_view file);

}  // namespace pfe

#endif  // EXPORTER_SOURCE_STATS_PARSER_H_
