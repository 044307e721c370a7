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
void Append(std::string_view name, std::string_view labels,
            std::string_view more, Value value, SampleWriter* out) {
  out->Reserve(
      SampleWriter::SampleRoom(name.size(), labels.size() + more.size()));
  out->AppendSample(name, labels, more, value);
}

template <typename Value>
void Append(Metric metric, std::string_view labels, std::string_view more,
            Value value, SampleWriter* out) {
  Append(InfoOf(metric).name, labels, more, value, out);
}

// What all counters of one comm have in common.
struct CounterOf {
  const CommSums& sums;
  std::string_view labels;
  std::optional<Seconds> created;  // since 1970
};

template <typename Value>
void AppendCounter(Metric metric, const CounterOf& of, std::string_view more,
                   Value value, CounterSamples* out) {
  Append(metric, of.labels, more, value, &out->samples);
  if (!of.created) return;
  Append(metric, of.labels, more, value, &out->with_created);
  std::string name = InfoOf(metric).name;
  name.replace(name.rfind("_total"), std::string::npos, "_created");
  Append(name, of.labels, more, *of.created, &out->with_created);
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
    for (size_t i = 0; i < kBreakdownCells; ++i)
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
void AppendFaults(const CounterOf& of, CounterSamples* out) {
  const CommSums& sums = of.sums;
  for (size_t counter = 0; counter < Births::kStall; ++counter) {
    if (!sums.births.Has(counter)) continue;
    const uint64_t total = counter < Births::kPlain
                               ? sums.breakdown[counter]
                               : sums.plain[counter - Births::kPlain];
    AppendCounter(Metric::kCommFaults, of, LabelsOf(counter),
                  total - sums.births.Held(counter), out);
  }
}

// Appends the slow faults of a comm, without what is held back.
void AppendSlow(const CounterOf& of, CounterSamples* out) {
  static const auto labels = [] {
    std::array<std::string, kSlowBounds.size()> all;
    for (size_t i = 0; i < all.size(); ++i) {
      SampleWriter label;
      label.Clear(64);
      label.AppendLabel("over", kSlowBounds[i]);
      all[i] = label.text();
    }
    return all;
  }();
  for (size_t i = 0; i < kSlowBounds.size(); ++i)
    if (of.sums.births.Has(Births::kSlow + i))
      AppendCounter(Metric::kCommSlow, of, labels[i],
                    of.sums.slow[i] - of.sums.births.Held(Births::kSlow + i),
                    out);
}

}  // namespace

void AppendCells(Metric metric, std::string_view labels, const Breakdown& cells,
                 SampleWriter* out) {
  for (size_t cell = 0; cell < kBreakdownCells; ++cell)
    if (cells[cell]) Append(metric, labels, LabelsOf(cell), cells[cell], out);
}

CommSamples RenderCommSamples(const Sums::Comms& comms,
                              std::optional<uint64_t> created_boot_unix_ns) {
  constexpr uint64_t kMs = 1000000;
  CommSamples samples;
  SampleWriter writer;
  for (const CommSums& sums : comms) {
    if (!IsShown(sums)) continue;
    writer.Clear(SampleWriter::LabelRoom("comm", sums.comm.size()));
    writer.AppendLabel("comm", sums.comm);
    const std::string_view labels = writer.text();
    CounterOf of = {sums, labels, std::nullopt};
    if (created_boot_unix_ns)
      of.created =
          Seconds{(*created_boot_unix_ns + sums.created_ns) / kMs * kMs};
    AppendFaults(of, &samples.faults);
    AppendCounter(
        Metric::kCommStall, of, "",
        Seconds{sums.counters.stall_ns - sums.births.Held(Births::kStall)},
        &samples.stall);
    AppendSlow(of, &samples.slow);
    Append(Metric::kCommProcesses, labels, "", sums.processes,
           &samples.processes);
    Append(Metric::kCommVma, labels, "", sums.vma_kb * 1024, &samples.vma);
    Append(Metric::kCommRss, labels, "", sums.rss_kb * 1024, &samples.rss);
  }
  return samples;
}

}  // namespace pfe
