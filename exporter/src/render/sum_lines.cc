// SPDX-License-Identifier: Apache-2.0
#include "render/sum_lines.h"

#include <tuple>

#include "render/catalogue.h"
#include "render/label.h"
#include "render/line_buffer.h"

namespace pfe {
namespace {

bool IsShown(const CommSums& sums) {
  return sums.processes || sums.counters.faults || sums.counters.stall_ns;
}

std::string Labels(const CommSums& sums) {
  std::string labels = "{comm=\"";
  AppendLabelValue(sums.comm, &labels);
  return labels += '"';
}

void AppendSample(Metric metric, std::string_view labels,
                  std::string_view value, std::string* out) {
  *out += InfoOf(metric).name;
  *out += labels;
  *out += "} ";
  *out += value;
  *out += '\n';
}

void AppendPlain(const CommSums& sums, const std::string& labels,
                 std::string* out) {
  for (size_t s = 0; s < kSeverities; ++s)
    if (sums.plain[s])
      AppendSample(Metric::kCommFaults,
                   labels + ",severity=\"" + kSeverityNames[s] +
                       "\",access=\"unknown\",kind=\"unknown\"",
                   std::to_string(sums.plain[s]), out);
}

}  // namespace

void AppendCells(std::string_view name, std::string_view labels,
                 const Breakdown& cells, std::string* out) {
  for (size_t cell = 0; cell < kBreakdown; ++cell) {
    if (!cells[cell]) continue;
    *out += name;
    *out += labels;
    *out += ",severity=\"";
    *out += kSeverityNames[cell / kKinds / kAccesses];
    *out += "\",access=\"";
    *out += kAccessNames[cell / kKinds % kAccesses];
    *out += "\",kind=\"";
    *out += kKindNames[cell % kKinds];
    *out += "\"} ";
    *out += std::to_string(cells[cell]);
    *out += '\n';
  }
}

CommSamples RenderCommSamples(const std::vector<CommSums>& comms) {
  CommSamples samples;
  LineBuffer seconds;
  for (const CommSums& sums : comms) {
    if (!IsShown(sums)) continue;
    const std::string labels = Labels(sums);
    AppendCells(InfoOf(Metric::kCommFaults).name, labels, sums.breakdown,
                &samples.faults);
    AppendPlain(sums, labels, &samples.faults);
    seconds.Begin(LineBuffer::kLongestSeconds);
    seconds.AppendSeconds(sums.counters.stall_ns);
    AppendSample(Metric::kCommStall, labels, seconds.text(), &samples.stall);
    for (const auto& [metric, value, out] :
         {std::tuple(Metric::kCommProcesses, sums.processes,
                     &samples.processes),
          std::tuple(Metric::kCommVma, sums.vma_kb * 1024, &samples.vma),
          std::tuple(Metric::kCommRss, sums.rss_kb * 1024, &samples.rss)})
      AppendSample(metric, labels, std::to_string(value), out);
  }
  return samples;
}

}  // namespace pfe
