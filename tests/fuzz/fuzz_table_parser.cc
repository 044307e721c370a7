// SPDX-License-Identifier: Apache-2.0
// Every text is either parsed or refused with a message, whether it comes whole
// or in pieces. What is parsed is valid UTF-8.
#include <cstdlib>
#include <string_view>

#include "base/utf8.h"
#include "source/stats_parser.h"
#include "source/table_parser.h"

namespace {

void CheckTable(std::string_view text) {
  pfe::Snapshot whole;
  const auto error = pfe::ParseTable(text, "f", &whole);
  if (error && error->message.empty()) abort();
  // Again in two pieces; the text itself decides where it is cut.
  const size_t cut = text.empty() ? 0
                                  : static_cast<unsigned char>(text.back()) *
                                        size_t{7919} % text.size();
  pfe::Snapshot pieces;
  pfe::TableParser parser("f", &pieces);
  auto again = parser.Feed(text.substr(0, cut));
  if (!again) again = parser.Feed(text.substr(cut));
  if (!again) again = parser.Finish();
  if (error.has_value() != again.has_value()) abort();
  if (error && error->message != again->message) abort();
  if (error) return;
  for (size_t i = 0; i < whole.processes.size(); ++i) {
    const pfe::Process& process = whole.processes[i];
    const std::string_view comm = whole.processes.comm(process);
    if (pfe::ToValidUtf8(comm) != comm) abort();
    if (pieces.processes.comm(pieces.processes[i]) != comm ||
        pieces.processes.breakdown(pieces.processes[i]) !=
            whole.processes.breakdown(process))
      abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckTable(text);
  const auto stats = pfe::ParseStats(text, "f");
  if (!stats.ok() && stats.error().message.empty()) abort();
  const auto latency = pfe::ParseLatency(text, "f");
  if (latency.ok())
    for (const pfe::Histogram& histogram : latency.value().severities)
      if (histogram.counts.size() != latency.value().bounds_ns.size()) abort();
  return 0;
}
