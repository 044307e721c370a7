// SPDX-License-Identifier: Apache-2.0
#include "render/exposition.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "render/sums_samples.h"

namespace pfe {
namespace {

// Processes are rendered in chunks of this size: all families of one chunk,
// then the next chunk. So the rows, labels and lines of a chunk stay in the
// processor's cache.
constexpr size_t kChunk = 1024;

// One line of a process within a family.
struct Line {
  uint64_t Process::*number;
  const char* type = "";  // the label `type`, if it has one
};

// A family that has one line for each process, or one for each of `lines`.
struct Column {
  enum Form { kNumber, kKilobytes, kSeconds, kStartTime };
  Metric metric;
  Form form;
  std::span<const Line> lines;
  bool skips_zero = false;  // a process whose value is 0 has no line
};

constexpr Line kFaultLines[] = {{&Process::faults}};
constexpr Line kVmaLines[] = {{&Process::vma_kb}};
constexpr Line kRssLines[] = {{&Process::rss_kb}};
constexpr Line kMajorLines[] = {{&Process::major}};
constexpr Line kStallLines[] = {{&Process::stall_ns}};
constexpr Line kStartLines[] = {{&Process::start_ns}};
constexpr Line kRssByTypeLines[] = {{&Process::rss_anon_kb, "anon"},
                                    {&Process::rss_file_kb, "file"},
                                    {&Process::rss_shmem_kb, "shmem"}};
constexpr Line kSwapLines[] = {{&Process::swap_kb}};
constexpr Line kHugetlbLines[] = {{&Process::hugetlb_kb}};

constexpr Column kFaults = {Metric::kFaults, Column::kNumber, kFaultLines};
constexpr Column kVma = {Metric::kVma, Column::kKilobytes, kVmaLines};
constexpr Column kRss = {Metric::kRss, Column::kKilobytes, kRssLines};
constexpr Column kMajor = {Metric::kMajor, Column::kNumber, kMajorLines};
constexpr Column kStall = {Metric::kStall, Column::kSeconds, kStallLines};
constexpr Column kStart = {Metric::kStart, Column::kStartTime, kStartLines};
constexpr Column kRssByType = {Metric::kRssByType, Column::kKilobytes,
                               kRssByTypeLines};
constexpr Column kSwap = {Metric::kSwap, Column::kKilobytes, kSwapLines};
constexpr Column kHugetlb = {Metric::kHugetlb, Column::kKilobytes,
                             kHugetlbLines, true};

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
  for (const auto& [name, value] : known) {
    if (value->empty()) continue;
    labels->Reserve(SampleWriter::LabelRoom(name, value->size()));
    labels->AppendLabel(name, *value);
  }
}

// The label set that a line has besides pid and comm.
std::string LabelsOf(const Line& line) {
  SampleWriter labels;
  if (!*line.type) return "";
  labels.Clear(64);
  labels.AppendLabel("type", line.type);
  return std::string(labels.text());
}

}  // namespace

// The rendering of one tick.
class Rendering {
 public:
  Rendering(Renderer* renderer, const ExpositionInput& input,
            const RenderedFamilies& previous)
      : input_(input),
        previous_(previous),
        processes_(input.rows->processes),
        selection_(*input.selection),
        changes_(*input.changes),
        compressor_(&renderer->compressor_),
        labels_(renderer->labels_),
        lines_(renderer->lines_),
        label_ends_(renderer->label_ends_) {}

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
    TextBuilder text(input_.forms, compressor_);
    text.Append(samples);
    return text.Finish();
  }
  void Keep(std::string_view samples) {
    families_.back().samples = TextOf(samples);
  }

  void Add(const Column& column, bool changed) {
    if (!Reuse(column.metric, changed || selection_.changed()))
      rendered_.push_back({&column, families_.size() - 1,
                           TextBuilder(input_.forms, compressor_)});
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
    labels_.Clear(room);
    label_ends_.clear();
    for (uint32_t i : indices) {
      labels_.AppendLabel("pid", uint64_t{processes_[i].pid});
      labels_.AppendLabel("comm", processes_.comm(processes_[i]));
      label_ends_.push_back(static_cast<uint32_t>(labels_.size()));
    }
  }
  std::string_view Labels(size_t n) const {
    const size_t start = n ? label_ends_[n - 1] : 0;
    return labels_.text().substr(start, label_ends_[n] - start);
  }

  void RenderColumns() {
    if (rendered_.empty()) return;
    const Indices selected = selection_.selected();
    for (size_t at = 0; at < selected.size(); at += kChunk) {
      const Indices chunk =
          selected.subspan(at, std::min(kChunk, selected.size() - at));
      MakeLabels(chunk);
      for (Rendered& rendered : rendered_) {
        RenderLines(*rendered.column, chunk);
        rendered.text.Append(lines_.text());
      }
    }
    for (Rendered& rendered : rendered_) Keep(&rendered.text, rendered.family);
  }

  void RenderLines(const Column& column, Indices chunk) {
    const std::string_view name = InfoOf(column.metric).name;
    std::array<std::string, 3> more;
    size_t room = 0;
    for (size_t i = 0; i < column.lines.size(); ++i) {
      more[i] = LabelsOf(column.lines[i]);
      room += labels_.size() + chunk.size() * SampleWriter::SampleRoom(
                                                  name.size(), more[i].size());
    }
    lines_.Clear(room);
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
        return lines_.AppendSample(name, labels, more, value);
      case Column::kKilobytes:
        return lines_.AppendSample(name, labels, more, value * 1024);
      case Column::kSeconds:
        return lines_.AppendSample(name, labels, more, Seconds{value});
      case Column::kStartTime:
        return lines_.AppendSample(
            name, labels, more,
            Seconds{(input_.boot_unix_ns + value) / kMs * kMs});
    }
  }

  // The labels of one process.
  std::string_view LabelsOfProcess(const uint32_t& index) {
    MakeLabels(Indices(&index, 1));
    return labels_.text();
  }

  void RenderBreakdown() {
    if (Reuse(Metric::kProcessBreakdown,
              changes_.counters || selection_.broken_down_changed()))
      return;
    lines_.Clear();
    for (const uint32_t& index : selection_.broken_down())
      AppendCells(Metric::kProcessBreakdown, LabelsOfProcess(index),
                  processes_.breakdown(processes_[index]), &lines_);
    Keep(lines_.text());
  }

  void RenderInfo() {
    if (Reuse(Metric::kInfo, selection_.changed() || input_.cgroups_changed))
      return;
    const std::string_view name = InfoOf(Metric::kInfo).name;
    lines_.Clear();
    for (const uint32_t& index : selection_.selected()) {
      const Cgroup* cgroup = input_.cgroups->Of(processes_[index]);
      if (!cgroup) continue;
      LabelsOfProcess(index);
      AppendCgroupLabels(*cgroup, &labels_);
      lines_.Reserve(SampleWriter::SampleRoom(name.size(), labels_.size()));
      lines_.AppendSample(name, labels_.text(), "", uint64_t{1});
    }
    Keep(lines_.text());
  }

  // Renders the families of sums by one kind of names. `changed`: whether any
  // of their values differ from the tick before.
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
    lines_.Clear();
    for (size_t i = 0; i < input_.cgroup_sums->size(); ++i) {
      const Cgroup* cgroup = (*input_.cgroups_of_sums)[i].get();
      if (!cgroup || !HasSamples((*input_.cgroup_sums)[i])) continue;
      labels_.Clear();
      AppendCgroupLabels(*cgroup, &labels_);
      lines_.Reserve(SampleWriter::SampleRoom(name.size(), labels_.size()));
      lines_.AppendSample(name, labels_.text(), "", uint64_t{1});
    }
    Keep(lines_.text());
  }

  const ExpositionInput& input_;
  const RenderedFamilies& previous_;
  const ProcessTable& processes_;
  const Selection& selection_;
  const Changes& changes_;
  Compressor* const compressor_;
  SampleWriter& labels_;
  SampleWriter& lines_;
  std::vector<uint32_t>& label_ends_;
  std::vector<Rendered> rendered_;
  RenderedFamilies families_;
};

RenderedFamilies Renderer::Render(const ExpositionInput& input,
                                  const RenderedFamilies& previous) {
  return Rendering(this, input, previous).Run();
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
