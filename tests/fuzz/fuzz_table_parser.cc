// SPDX-License-Identifier: Apache-2.0
// Any text is parsed or refused with a message; what is parsed is valid UTF-8.
#include <cstdlib>
#include <string_view>

#include "table_parser.h"
#include "text.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto table = pfe::ParseTable(text, "f");
  if (table.ok()) {
    for (const pfe::Process& process : table.value().processes)
      if (pfe::ToValidUtf8(process.comm) != process.comm) abort();
  } else if (table.error().message.empty()) {
    abort();
  }
  const auto stats = pfe::ParseStats(text, "f");
  if (!stats.ok() && stats.error().message.empty()) abort();
  const auto latency = pfe::ParseLatency(text, "f");
  if (latency.ok())
    for (const pfe::Histogram& histogram : latency.value().severities)
      if (histogram.counts.size() != latency.value().bounds_ns.size()) abort();
  return 0;
}
