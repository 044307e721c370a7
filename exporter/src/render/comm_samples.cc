// SPDX-License-Identifier: Apache-2.0
#include "render/comm_samples.h"

#include <array>
#include <string>

namespace pfe {
namespace {

bool IsShown(const CommSums& sums) {
  return sums.processes || sums.counters.faults || sums.counters.stall_ns;
}

template <typename Value>
void Append(Metric metric, std::string_view labels, std::string_view more,
            Value value, SampleWriter* out) {
  const std::string_view name = InfoOf(metric).name;
  out->Reserve(
      SampleWriter::SampleRoom(name.size(), labels.size() + more.size()));
  out->AppendSample(name, labels, more, value);
}

std::string BreakdownLabels(const char* severity, const char* access,
                            const char* kind) {
  SampleWriter labels;
  labels.Clear(128);
  labels.AppendLabel("severity", severity);
  labels.AppendLabel("access", access);
  labels.AppendLabel("kind", kind);
  return std::string(labels.text());
}

std::string_view CellLabels(size_t cell) {
  static const auto all = [] {
    std::array<std::string, kBreakdownCells> labels;
    for (size_t i = 0; i < kBreakdownCells; ++i)
      labels[i] = BreakdownLabels(kSeverityNames[i / kKinds / kAccesses],
                                  kAccessNames[i / kKinds % kAccesses],
                                  kKindNames[i % kKinds]);
    return labels;
  }();
  return all[cell];
}

// Appends the faults whose access and kind the source does not report.
void AppendPlain(const CommSums& sums, std::string_view labels,
                 SampleWriter* out) {
  for (size_t s = 0; s < kSeverities; ++s)
    if (sums.plain[s])
      Append(Metric::kCommFaults, labels,
             BreakdownLabels(kSeverityNames[s], "unknown", "unknown"),
             sums.plain[s], out);
}

}  // namespace

void AppendCells(Metric metric, std::string_view labels, const Breakdown& cells,
                 SampleWriter* out) {
  for (size_t cell = 0; cell < kBreakdownCells; ++cell)
    if (cells[cell]) Append(metric, labels, CellLabels(cell), cells[cell], out);
}

CommSamples RenderCommSamples(const Sums::Comms& comms) {
  CommSamples samples;
  SampleWriter writer;
  for (const CommSums& sums : comms) {
    if (!IsShown(sums)) continue;
    writer.Clear(SampleWriter::LabelRoom("comm", sums.comm.size()));
    writer.AppendLabel("comm", sums.comm);
    const std::string_view labels = writer.text();
    AppendCells(Metric::kCommFaults, labels, sums.breakdown, &samples.faults);
    AppendPlain(sums, labels, &samples.faults);
    Append(Metric::kCommStall, labels, "", Seconds{sums.counters.stall_ns},
           &samples.stall);
    Append(Metric::kCommProcesses, labels, "", sums.processes,
           &samples.processes);
    Append(Metric::kCommVma, labels, "", sums.vma_kb * 1024, &samples.vma);
    Append(Metric::kCommRss, labels, "", sums.rss_kb * 1024, &samples.rss);
  }
  return samples;
}

}  // namespace pfe
