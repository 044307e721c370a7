// SPDX-License-Identifier: Apache-2.0
#include "render/sums_samples.h"

#include <array>
#include <string>

namespace pfe {
namespace {

template <typename Value>
void Append(Metric metric, std::string_view labels, std::string_view more,
            Value value, SampleWriter* out) {
  out->AddSample(InfoOf(metric).name, labels, more, value);
}

// What all counters of one name have in common.
struct CounterOf {
  const SumsFamilies& families;
  const NamedSums& sums;
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
  out->with_created.AddSample(name, of.labels, more, *of.created);
}

std::string SeverityLabel(const char* severity) {
  SampleWriter label;
  label.AddLabel("severity", severity);
  return std::string(label.text());
}

std::string BreakdownLabels(const char* severity, const char* access,
                            const char* kind) {
  SampleWriter labels;
  labels.AddLabel("severity", severity);
  labels.AddLabel("access", access);
  labels.AddLabel("kind", kind);
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

// The label of faults that are summed by severity alone.
std::string_view LabelOf(size_t severity) {
  static const std::array<std::string, kSeverities> all = {
      SeverityLabel(kSeverityNames[0]), SeverityLabel(kSeverityNames[1])};
  return all[severity];
}

// Appends the faults of a name, without what is held back.
void AppendFaults(const CounterOf& of, CounterSamples* out) {
  const NamedSums& sums = of.sums;
  for (size_t counter = 0; counter < Births::kStall; ++counter) {
    if (!sums.births.Has(counter)) continue;
    const uint64_t total = counter < Births::kPlain
                               ? sums.breakdown[counter]
                               : sums.plain[counter - Births::kPlain];
    AppendCounter(of.families.faults, of,
                  of.families.by_cell ? LabelsOf(counter)
                                      : LabelOf(counter - Births::kPlain),
                  total - sums.births.Held(counter), out);
  }
}

// Appends the slow faults of a name, without what is held back.
void AppendSlow(const CounterOf& of, CounterSamples* out) {
  static const auto labels = [] {
    std::array<std::string, kSlowBounds.size()> all;
    for (size_t i = 0; i < all.size(); ++i) {
      SampleWriter label;
      label.AddLabel("over", kSlowBounds[i]);
      all[i] = label.text();
    }
    return all;
  }();
  for (size_t i = 0; i < kSlowBounds.size(); ++i)
    if (of.sums.births.Has(Births::kSlow + i))
      AppendCounter(of.families.slow, of, labels[i],
                    of.sums.slow[i] - of.sums.births.Held(Births::kSlow + i),
                    out);
}

}  // namespace

bool HasSamples(const NamedSums& sums) {
  return sums.processes || sums.births.HasAny();
}

void AppendCells(Metric metric, std::string_view labels, const Breakdown& cells,
                 SampleWriter* out) {
  for (size_t cell = 0; cell < kBreakdownCells; ++cell)
    if (cells[cell]) Append(metric, labels, LabelsOf(cell), cells[cell], out);
}

SumsSamples RenderSumsSamples(const SumsFamilies& families,
                              const Sums::All& all,
                              std::optional<uint64_t> created_boot_unix_ns) {
  constexpr uint64_t kMs = 1000000;
  SumsSamples samples;
  SampleWriter writer;
  for (const NamedSums& sums : all) {
    if (!HasSamples(sums)) continue;
    writer.Clear();
    writer.AddLabel(families.label, sums.name);
    const std::string_view labels = writer.text();
    CounterOf of = {families, sums, labels, std::nullopt};
    if (created_boot_unix_ns)
      of.created =
          Seconds{(*created_boot_unix_ns + sums.created_ns) / kMs * kMs};
    AppendFaults(of, &samples.faults);
    AppendCounter(
        families.stall, of, "",
        Seconds{sums.counters.stall_ns - sums.births.Held(Births::kStall)},
        &samples.stall);
    AppendSlow(of, &samples.slow);
    Append(families.processes, labels, "", sums.processes, &samples.processes);
    Append(families.vma, labels, "", sums.vma_kb * 1024, &samples.vma);
    Append(families.rss, labels, "", sums.rss_kb * 1024, &samples.rss);
    if (families.swap)
      Append(*families.swap, labels, "", sums.swap_kb * 1024, &samples.swap);
  }
  return samples;
}

}  // namespace pfe
