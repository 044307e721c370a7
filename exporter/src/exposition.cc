// SPDX-License-Identifier: Apache-2.0
#include "exposition.h"

#include <array>
#include <charconv>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

#include "cgroup_reader.h"
#include "text.h"

namespace pfe {
namespace {

using Rows = std::vector<const Tracked*>;

void AppendNumber(uint64_t number, std::string* out) {
  char digits[20];
  const auto [end, error] =
      std::to_chars(digits, digits + sizeof(digits), number);
  out->append(digits, end);
}

// Seconds, exactly, without zeros at the end.
void AppendSeconds(uint64_t ns, std::string* out) {
  AppendNumber(ns / 1000000000u, out);
  uint64_t rest = ns % 1000000000u;
  if (!rest) return;
  char digits[10] = ".";
  size_t length = 1;
  for (uint64_t unit = 100000000u; rest; rest %= unit, unit /= 10)
    digits[length++] = static_cast<char>('0' + rest / unit);
  out->append(digits, length);
}

// `{pid="1",comm="init"` of every row, without the closing brace: the families
// share it.
class LabelSets {
 public:
  explicit LabelSets(const Rows& rows) {
    text_.reserve(rows.size() * 40);
    ends_.reserve(rows.size());
    for (const Tracked* row : rows) {
      text_ += "{pid=\"";
      AppendNumber(row->process.pid, &text_);
      text_ += "\",comm=\"";
      AppendLabelValue(row->process.comm, &text_);
      text_ += '"';
      ends_.push_back(text_.size());
    }
  }

  std::string_view of(size_t i) const {
    const size_t start = i ? ends_[i - 1] : 0;
    return std::string_view(text_).substr(start, ends_[i] - start);
  }
  size_t size() const { return text_.size(); }

 private:
  std::string text_;
  std::vector<size_t> ends_;
};

class Renderer {
 public:
  Renderer(const ExpositionInput& input, const RenderedFamilies& previous)
      : input_(input), previous_(previous), labels_(input.selected) {}

  RenderedFamilies Render() {
    Gauge(Metric::kFaults, [](const Process& p) { return p.faults; });
    Gauge(Metric::kVma, [](const Process& p) { return p.vma_kb * 1024; });
    Gauge(Metric::kRss, [](const Process& p) { return p.rss_kb * 1024; });
    if (input_.mandated_only) return std::move(families_);
    RenderOptional();
    RenderComms();
    return std::move(families_);
  }

 private:
  // One line a process, its value written by `append(process, out)`.
  template <typename Append>
  void Lines(Metric metric, Append append) {
    const std::string_view name = InfoOf(metric).name;
    std::string out;
    out.reserve(labels_.size() + input_.selected.size() * (name.size() + 20));
    for (size_t i = 0; i < input_.selected.size(); ++i) {
      out += name;
      out += labels_.of(i);
      out += "} ";
      append(input_.selected[i]->process, &out);
      out += '\n';
    }
    Keep(metric, std::move(out));
  }

  template <typename Value>
  void Gauge(Metric metric, Value value) {
    Lines(metric, [&value](const Process& process, std::string* out) {
      AppendNumber(value(process), out);
    });
  }

  void RenderOptional() {
    const Offered& offered = input_.offered;
    if (offered.severity)
      Gauge(Metric::kMajor, [](const Process& p) { return p.major; });
    if (offered.stall)
      Lines(Metric::kStall, [](const Process& process, std::string* out) {
        AppendSeconds(process.stall_ns, out);
      });
    Lines(Metric::kStart, [this](const Process& process, std::string* out) {
      constexpr uint64_t kMs = 1000000;
      AppendSeconds((input_.boot_unix_ns + process.start_ns) / kMs * kMs, out);
    });
    if (offered.rss_split) RenderRssByType();
    if (offered.swap)
      Gauge(Metric::kSwap, [](const Process& p) { return p.swap_kb * 1024; });
    if (offered.breakdown) RenderBreakdown();
    if (input_.containers) RenderInfo();
  }

  void RenderRssByType() {
    constexpr std::pair<std::string_view, uint64_t Process::*> kTypes[] = {
        {",type=\"anon\"} ", &Process::rss_anon_kb},
        {",type=\"file\"} ", &Process::rss_file_kb},
        {",type=\"shmem\"} ", &Process::rss_shmem_kb}};
    const std::string_view name = InfoOf(Metric::kRssByType).name;
    std::string out;
    out.reserve(3 * (labels_.size() + input_.selected.size() * 70));
    for (size_t i = 0; i < input_.selected.size(); ++i)
      for (const auto& [type, value] : kTypes) {
        out += name;
        out += labels_.of(i);
        out += type;
        AppendNumber(input_.selected[i]->process.*value * 1024, &out);
        out += '\n';
      }
    Keep(Metric::kRssByType, std::move(out));
  }

  static void AppendCell(size_t cell, std::string* out) {
    *out += ",severity=\"";
    *out += kSeverityNames[cell / kKinds / kAccesses];
    *out += "\",access=\"";
    *out += kAccessNames[cell / kKinds % kAccesses];
    *out += "\",kind=\"";
    *out += kKindNames[cell % kKinds];
    *out += "\"} ";
  }

  // The cells of one label set that are not 0.
  static void AppendCells(std::string_view name, std::string_view labels,
                          const Breakdown& cells, std::string* out) {
    for (size_t cell = 0; cell < kBreakdown; ++cell) {
      if (!cells[cell]) continue;
      *out += name;
      *out += labels;
      AppendCell(cell, out);
      AppendNumber(cells[cell], out);
      *out += '\n';
    }
  }

  void RenderBreakdown() {
    const LabelSets labels(input_.busiest);
    std::string out;
    for (size_t i = 0; i < input_.busiest.size(); ++i)
      AppendCells(InfoOf(Metric::kProcessBreakdown).name, labels.of(i),
                  input_.busiest[i]->process.breakdown, &out);
    Keep(Metric::kProcessBreakdown, std::move(out));
  }

  void RenderInfo() {
    std::string out;
    for (size_t i = 0; i < input_.selected.size(); ++i) {
      const Tracked& tracked = *input_.selected[i];
      if (tracked.cgroup.empty()) continue;
      const CgroupInfo info = ParseCgroupPath(tracked.cgroup);
      out += InfoOf(Metric::kInfo).name;
      out += labels_.of(i);
      for (const auto& [label, value] :
           {std::pair(",cgroup=\"", &tracked.cgroup),
            std::pair("\",unit=\"", &info.unit), std::pair("\",pod=\"", &info.pod),
            std::pair("\",container=\"", &info.container)}) {
        out += label;
        AppendLabelValue(*value, &out);
      }
      out += "\"} 1\n";
    }
    Keep(Metric::kInfo, std::move(out));
  }

  static std::string CommLabels(const CommSums& sums) {
    std::string labels = "{comm=\"";
    AppendLabelValue(sums.comm, &labels);
    return labels += '"';
  }

  static bool IsShown(const CommSums& sums) {
    return sums.processes || sums.counters.faults || sums.counters.stall_ns;
  }

  void RenderComms() {
    std::string faults, stall, processes, vma, rss;
    for (const CommSums& sums : *input_.comms) {
      if (!IsShown(sums)) continue;
      const std::string labels = CommLabels(sums);
      const std::string_view name = InfoOf(Metric::kCommFaults).name;
      AppendCells(name, labels, sums.breakdown, &faults);
      for (size_t s = 0; s < kSeverities; ++s)
        if (sums.plain[s]) {
          ((faults += name) += labels) += ",severity=\"";
          faults += kSeverityNames[s];
          faults += "\",access=\"unknown\",kind=\"unknown\"} ";
          AppendNumber(sums.plain[s], &faults);
          faults += '\n';
        }
      Line(Metric::kCommStall, labels, &stall);
      AppendSeconds(sums.counters.stall_ns, &stall);
      for (const auto& [metric, value, out] :
           {std::tuple(Metric::kCommProcesses, sums.processes, &processes),
            std::tuple(Metric::kCommVma, sums.vma_kb * 1024, &vma),
            std::tuple(Metric::kCommRss, sums.rss_kb * 1024, &rss)}) {
        Line(metric, labels, out);
        AppendNumber(value, out);
      }
      for (std::string* out : {&stall, &processes, &vma, &rss}) *out += '\n';
    }
    Keep(Metric::kCommFaults, std::move(faults));
    if (input_.offered.stall) Keep(Metric::kCommStall, std::move(stall));
    Keep(Metric::kCommProcesses, std::move(processes));
    Keep(Metric::kCommVma, std::move(vma));
    Keep(Metric::kCommRss, std::move(rss));
  }

  static void Line(Metric metric, const std::string& labels, std::string* out) {
    *out += InfoOf(metric).name;
    *out += labels;
    *out += "} ";
  }

  void Keep(Metric metric, std::string text) {
    if (text.empty()) return;
    for (const RenderedFamily& family : previous_)
      if (family.metric == metric && *family.samples->plain() == text) {
        families_.push_back(family);
        return;
      }
    families_.push_back(
        {metric, std::make_shared<const RenderedText>(std::move(text))});
  }

  const ExpositionInput& input_;
  const RenderedFamilies& previous_;
  const LabelSets labels_;
  RenderedFamilies families_;
};

}  // namespace

RenderedFamilies Render(const ExpositionInput& input,
                        const RenderedFamilies& previous) {
  return Renderer(input, previous).Render();
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
