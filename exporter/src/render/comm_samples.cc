// SPDX-License-Identifier: Apache-2.0
#include "render/comm_samples.h"

#include <array>
#include <string>

namespace pfe {
namespace {

bool IsShown(const CommSums& sums) {
  return sums.processes || sums.births.HasAny();
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

// The labels of the faults that Births numbers so.
std::string_view LabelsOf(size_t counter) {
  static const auto all = [] {
    std::array<std::string, Births::kStall> labels;
    for (size_t i = 0; i < kBreakdown; ++i)
      labels[i] = BreakdownLabels(kSeverityNames[i / kKinds / kAccesses],
                                  kAccessNames[i / kKinds % kAccesses],
                                  kKindNames[i % kKinds]);
    for (size_t s = 0; s < kSeverities; ++s)
      labels[Births::kPlain + s] =
          BreakdownLabels(kSeverityNames[s], "unknown", "unknown");
    return labels;
  }();
  return all[counter];
}

// Appends the faults of a comm, without what is held back.
void AppendFaults(const CommSums& sums, std::string_view labels,
                  SampleWriter* out) {
  for (size_t counter = 0; counter < Births::kStall; ++counter) {
    if (!sums.births.Has(counter)) continue;
    const uint64_t total = counter < Births::kPlain
                               ? sums.breakdown[counter]
                               : sums.plain[counter - Births::kPlain];
    Append(Metric::kCommFaults, labels, LabelsOf(counter),
           total - sums.births.Held(counter), out);
  }
}

}  // namespace

void AppendCells(Metric metric, std::string_view labels, const Breakdown& cells,
                 SampleWriter* out) {
  for (size_t cell = 0; cell < kBreakdown; ++cell)
    if (cells[cell]) Append(metric, labels, LabelsOf(cell), cells[cell], out);
}

CommSamples RenderCommSamples(const Sums::Comms& comms) {
  CommSamples samples;
  SampleWriter writer;
  for (const CommSums& sums : comms) {
    if (!IsShown(sums)) continue;
    writer.Clear(SampleWriter::LabelRoom("comm", sums.comm.size()));
    writer.AppendLabel("comm", sums.comm);
    const std::string_view labels = writer.text();
    AppendFaults(sums, labels, &samples.faults);
    Append(Metric::kCommStall, labels, "",
           Seconds{sums.counters.stall_ns - sums.births.Held(Births::kStall)},
           &samples.stall);
    Append(Metric::kCommProcesses, labels, "", sums.processes,
           &samples.processes);
    Append(Metric::kCommVma, labels, "", sums.vma_kb * 1024, &samples.vma);
    Append(Metric::kCommRss, labels, "", sums.rss_kb * 1024, &samples.rss);
  }
  return samples;
}

}  // namespace pfe
