// SPDX-License-Identifier: Apache-2.0
#include "render/exposition.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "render/columns.h"
#include "render/sums_samples.h"

namespace pfe {
namespace {

// Processes are rendered in chunks of this size: all families of one chunk,
// then the next chunk. So the rows, labels and lines of a chunk stay in the
// processor's cache.
constexpr size_t kChunk = 1024;

constexpr SumsFamilies kCommFamilies = {"comm",
                                        Metric::kCommFaults,
                                        Metric::kCommStall,
                                        Metric::kCommSlow,
                                        Metric::kCommProcesses,
                                        Metric::kCommVma,
                                        Metric::kCommRss,
                                        std::nullopt,
                                        true};

constexpr SumsFamilies kGroupFamilies = {"group",
                                         Metric::kGroupFaults,
                                         Metric::kGroupStall,
                                         Metric::kGroupSlow,
                                         Metric::kGroupProcesses,
                                         Metric::kGroupVma,
                                         Metric::kGroupRss,
                                         std::nullopt,
                                         true};

SumsFamilies CgroupFamilies(bool by_cell) {
  return {"cgroup",
          Metric::kCgroupFaults,
          Metric::kCgroupStall,
          Metric::kCgroupSlow,
          Metric::kCgroupProcesses,
          Metric::kCgroupVma,
          Metric::kCgroupRss,
          Metric::kCgroupSwap,
          by_cell};
}

// Only labels whose value is known.
void AppendCgroupLabels(const Cgroup& cgroup, SampleWriter* labels) {
  const std::pair<const char*, const std::string*> known[] = {
      {"cgroup", &cgroup.path},
      {"unit", &cgroup.info.unit},
      {"namespace", &cgroup.name.pod_namespace},
      {"pod", &cgroup.name.pod},
      {"pod_uid", &cgroup.info.pod_uid},
      {"container", &cgroup.name.container},
      {"container_id", &cgroup.info.container_id}};
  for (const auto& [name, value] : known)
    if (!value->empty()) labels->AddLabel(name, *value);
}

// The label that a line has besides pid and comm.
std::string TypeLabel(const Line& line) {
  if (!*line.type) return "";
  SampleWriter label;
  label.AddLabel("type", line.type);
  return std::string(label.text());
}

}  // namespace

// Not in the unnamed namespace: there GCC inlines RenderColumns() into its only
// caller, and does not inline the function that prints a number. Ticks took 1 %
// longer.
class Rendering {
 public:
  Rendering(const ExpositionInput& input, const RenderedFamilies& previous,
            RenderBuffers* buffers)
      : input_(input),
        previous_(previous),
        processes_(input.rows->processes),
        changes_(*input.changes),
        buffers_(*buffers) {}

  RenderedFamilies Run() {
    AddColumns();
    RenderColumns();
    if (!input_.basic_families_only) {
      if (input_.offered.breakdown) RenderBreakdown();
      if (input_.cgroups) RenderInfo();
      RenderComms();
      if (input_.cgroup_sums) RenderCgroups();
      if (input_.groups) RenderGroups();
    }
    std::erase_if(families_,
                  [](const auto& family) { return !family.samples; });
    return std::move(families_);
  }

 private:
  // A column that is rendered in this tick, and its family's index in
  // families_.
  struct Rendered {
    const Column* column;
    size_t family;
    TextBuilder text;
  };

  // Appends a family. If nothing of it has changed, takes its text from the
  // tick before and returns true. `created` says whether it has a text of its
  // own in OpenMetrics.
  bool Reuse(Metric metric, bool changed, bool created = false) {
    families_.push_back({metric, nullptr, nullptr});
    if (changed) return false;
    for (const RenderedFamily& family : previous_)
      if (family.metric == metric &&
          (family.openmetrics != nullptr) == created) {
        families_.back().samples =
            RenderedText::In(input_.forms, family.samples);
        if (created)
          families_.back().openmetrics =
              RenderedText::In(input_.forms, family.openmetrics);
        return true;
      }
    return false;
  }

  void Keep(TextBuilder* text, size_t family) {
    if (!text->empty()) families_[family].samples = text->Finish();
  }
  std::shared_ptr<const RenderedText> TextOf(std::string_view samples) {
    if (samples.empty()) return nullptr;
    TextBuilder text(input_.forms, &buffers_.compressor);
    text.Append(samples);
    return text.Finish();
  }
  void Keep(std::string_view samples) {
    families_.back().samples = TextOf(samples);
  }

  void Add(const Column& column, bool changed) {
    if (!Reuse(column.metric, changed || input_.selection->changed()))
      rendered_.push_back({&column, families_.size() - 1,
                           TextBuilder(input_.forms, &buffers_.compressor)});
  }

  void AddColumns() {
    const Offered& offered = input_.offered;
    Add(kFaults, changes_.counters);
    Add(kVma, changes_.vma);
    Add(kRss, changes_.rss);
    if (input_.basic_families_only) return;
    if (offered.severity) Add(kMajor, changes_.counters);
    if (offered.stall) Add(kStall, changes_.counters);
    Add(kStart, input_.boot_moved);
    if (offered.rss_split) Add(kRssByType, changes_.rss_split);
    if (offered.swap) Add(kSwap, changes_.swap);
    if (offered.hugetlb && AnyHugetlb()) Add(kHugetlb, changes_.hugetlb);
  }

  // On most hosts no process uses hugetlb. Then there is no family to render.
  bool AnyHugetlb() const {
    return std::any_of(
        processes_.begin(), processes_.end(),
        [](const Process& process) { return process.hugetlb_kb > 0; });
  }

  using Indices = std::span<const uint32_t>;

  // The labels pid and comm of each process, which all families share.
  void MakeLabels(Indices indices) {
    size_t room = 0;
    for (uint32_t i : indices)
      room += SampleWriter::LabelRoom("pid", SampleWriter::kLongestNumber) +
              SampleWriter::LabelRoom("comm", processes_[i].comm_size);
    buffers_.labels.Clear(room);
    buffers_.label_ends.clear();
    for (uint32_t i : indices) {
      buffers_.labels.AppendLabel("pid", uint64_t{processes_[i].pid});
      buffers_.labels.AppendLabel("comm", processes_.comm(processes_[i]));
      buffers_.label_ends.push_back(
          static_cast<uint32_t>(buffers_.labels.size()));
    }
  }
  std::string_view Labels(size_t n) const {
    const size_t start = n ? buffers_.label_ends[n - 1] : 0;
    return buffers_.labels.text().substr(start, buffers_.label_ends[n] - start);
  }

  void RenderColumns() {
    if (rendered_.empty()) return;
    const Indices selected = input_.selection->selected();
    for (size_t at = 0; at < selected.size(); at += kChunk) {
      const Indices chunk =
          selected.subspan(at, std::min(kChunk, selected.size() - at));
      MakeLabels(chunk);
      for (Rendered& rendered : rendered_) {
        RenderLines(*rendered.column, chunk);
        rendered.text.Append(buffers_.lines.text());
      }
    }
    for (Rendered& rendered : rendered_) Keep(&rendered.text, rendered.family);
  }

  void RenderLines(const Column& column, Indices chunk) {
    const std::string_view name = InfoOf(column.metric).name;
    std::array<std::string, 3> more;
    size_t room = 0;
    for (size_t i = 0; i < column.lines.size(); ++i) {
      more[i] = TypeLabel(column.lines[i]);
      room +=
          buffers_.labels.size() +
          chunk.size() * SampleWriter::SampleRoom(name.size(), more[i].size());
    }
    buffers_.lines.Clear(room);
    for (size_t n = 0; n < chunk.size(); ++n) {
      const std::string_view labels = Labels(n);
      for (size_t i = 0; i < column.lines.size(); ++i) {
        const uint64_t value = processes_[chunk[n]].*column.lines[i].number;
        if (value > 0 || !column.skips_zero)
          AppendLine(name, labels, more[i], column.form, value);
      }
    }
  }

  void AppendLine(std::string_view name, std::string_view labels,
                  std::string_view more, Column::Form form, uint64_t value) {
    constexpr uint64_t kMs = 1000000;
    switch (form) {
      case Column::kNumber:
        return buffers_.lines.AppendSample(name, labels, more, value);
      case Column::kKilobytes:
        return buffers_.lines.AppendSample(name, labels, more, value * 1024);
      case Column::kSeconds:
        return buffers_.lines.AppendSample(name, labels, more, Seconds{value});
      case Column::kStartTime:
        return buffers_.lines.AppendSample(
            name, labels, more,
            Seconds{(input_.boot_unix_ns + value) / kMs * kMs});
    }
  }

  std::string_view LabelsOfProcess(const uint32_t& index) {
    MakeLabels(Indices(&index, 1));
    return buffers_.labels.text();
  }

  void RenderBreakdown() {
    if (Reuse(Metric::kProcessBreakdown,
              changes_.counters || input_.selection->broken_down_changed()))
      return;
    buffers_.lines.Clear();
    for (const uint32_t& index : input_.selection->broken_down())
      AppendCells(Metric::kProcessBreakdown, LabelsOfProcess(index),
                  processes_.breakdown(processes_[index]), &buffers_.lines);
    Keep(buffers_.lines.text());
  }

  void RenderInfo() {
    if (Reuse(Metric::kInfo,
              input_.selection->changed() || input_.cgroups_changed))
      return;
    const std::string_view name = InfoOf(Metric::kInfo).name;
    buffers_.lines.Clear();
    for (const uint32_t& index : input_.selection->selected()) {
      const Cgroup* cgroup = input_.cgroups->Of(processes_[index]);
      if (!cgroup) continue;
      LabelsOfProcess(index);
      AppendCgroupLabels(*cgroup, &buffers_.labels);
      buffers_.lines.AddSample(name, buffers_.labels.text(), "", uint64_t{1});
    }
    Keep(buffers_.lines.text());
  }

  // `changed`: whether any value of the sums differs from the tick before.
  void RenderSums(const SumsFamilies& sums, const Sums::All& all,
                  bool changed) {
    std::optional<SumsSamples> samples;
    const auto render = [&]() -> const SumsSamples& {
      if (!samples)
        samples = RenderSumsSamples(
            sums, all,
            input_.created ? std::optional(input_.boot_unix_ns) : std::nullopt);
      return *samples;
    };
    const auto add = [&](Metric metric, SampleWriter SumsSamples::*lines) {
      if (!Reuse(metric, changed)) Keep((render().*lines).text());
    };
    const auto add_counter = [&](Metric metric,
                                 CounterSamples SumsSamples::*lines) {
      const bool moved = input_.created && input_.boot_moved;
      if (Reuse(metric, changed || moved, input_.created)) return;
      Keep((render().*lines).samples.text());
      families_.back().openmetrics =
          TextOf((render().*lines).with_created.text());
    };
    add_counter(sums.faults, &SumsSamples::faults);
    if (input_.offered.stall) add_counter(sums.stall, &SumsSamples::stall);
    if (input_.offered.slow) add_counter(sums.slow, &SumsSamples::slow);
    add(sums.processes, &SumsSamples::processes);
    add(sums.vma, &SumsSamples::vma);
    add(sums.rss, &SumsSamples::rss);
    if (sums.swap && input_.offered.swap) add(*sums.swap, &SumsSamples::swap);
  }

  void RenderComms() {
    RenderSums(kCommFamilies, *input_.comms,
               changes_.all || changes_.rows || changes_.counters ||
                   changes_.released || changes_.vma || changes_.rss);
  }

  void RenderCgroups() {
    const bool changed = changes_.all || changes_.rows || changes_.counters ||
                         changes_.released || changes_.vma || changes_.rss ||
                         changes_.swap || input_.cgroups_changed;
    RenderSums(CgroupFamilies(input_.cgroup_sums_by_cell), *input_.cgroup_sums,
               changed);
    RenderCgroupInfo(changed);
  }

  // A process can be in another group although nothing else has changed.
  void RenderGroups() { RenderSums(kGroupFamilies, *input_.groups, true); }

  void RenderCgroupInfo(bool changed) {
    if (Reuse(Metric::kCgroupInfo, changed)) return;
    const std::string_view name = InfoOf(Metric::kCgroupInfo).name;
    buffers_.lines.Clear();
    for (size_t i = 0; i < input_.cgroup_sums->size(); ++i) {
      const Cgroup* cgroup = (*input_.cgroups_of_sums)[i].get();
      if (!cgroup || !HasSamples((*input_.cgroup_sums)[i])) continue;
      buffers_.labels.Clear();
      AppendCgroupLabels(*cgroup, &buffers_.labels);
      buffers_.lines.AddSample(name, buffers_.labels.text(), "", uint64_t{1});
    }
    Keep(buffers_.lines.text());
  }

  const ExpositionInput& input_;
  const RenderedFamilies& previous_;
  const ProcessTable& processes_;
  const Changes& changes_;
  RenderBuffers& buffers_;
  std::vector<Rendered> rendered_;
  RenderedFamilies families_;
};

RenderedFamilies Renderer::Render(const ExpositionInput& input,
                                  const RenderedFamilies& previous) {
  return Rendering(input, previous, &buffers_).Run();
}

const RenderedText& HeadText(Metric metric, bool openmetrics) {
  static const auto heads = [] {
    std::array<std::vector<std::unique_ptr<RenderedText>>, 2> all;
    for (bool form : {false, true})
      for (const MetricInfo& info : Catalogue())
        all[form].push_back(std::make_unique<RenderedText>(HeadOf(info, form)));
    return all;
  }();
  return *heads[openmetrics][static_cast<size_t>(metric)];
}

}  // namespace pfe
