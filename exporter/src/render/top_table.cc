// SPDX-License-Identifier: Apache-2.0
#include "render/top_table.h"

#include <re2/re2.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "follow/ranking.h"

namespace pfe {
namespace {

constexpr size_t kNumberWidth = 7;  // of the first column
constexpr size_t kLeastName = 8;

// One row of the table.
struct Line {
  uint64_t number = 0;  // the pid, or how many processes there are
  std::string name;
  Counters counters;
  Counters growth;
  uint64_t slow = 0;  // faults over 10 ms
  uint64_t vma_kb = 0;
  uint64_t rss_kb = 0;
};

// What the numbers of a tick mean.
struct Tick {
  double seconds;
  bool module;  // only the module measures stall and slow faults

  double PerSecond(uint64_t growth) const {
    return seconds > 0 ? static_cast<double>(growth) / seconds : 0;
  }
};

std::string Megabytes(uint64_t kb) {
  return fmt::format("{:.1f}", static_cast<double>(kb) / 1024);
}

// A column behind the name.
struct Column {
  const char* title;
  size_t width;
  // Columns with 1 are the first ones that a narrow terminal does without, then
  // those with 2, and so on; those with 0 always stay.
  int dispensable;
  std::string (*text)(const Line&, const Tick&);
};

constexpr int kMostDispensable = 3;

const Column kColumns[] = {
    {"FAULTS/s", 9, 0,
     [](const Line& line, const Tick& tick) {
       return fmt::format("{:.0f}", tick.PerSecond(line.growth.faults));
     }},
    {"MAJOR/s", 7, 0,
     [](const Line& line, const Tick& tick) {
       return fmt::format("{:.0f}", tick.PerSecond(line.growth.major));
     }},
    {"STALL%", 6, 0,
     [](const Line& line, const Tick& tick) {
       return tick.module
                  ? fmt::format("{:.1f}",
                                tick.PerSecond(line.growth.stall_ns) / 1e7)
                  : std::string("-");
     }},
    {"FAULTS", 11, 3,
     [](const Line& line, const Tick&) {
       return std::to_string(line.counters.faults);
     }},
    {"MAJOR", 8, 2,
     [](const Line& line, const Tick&) {
       return std::to_string(line.counters.major);
     }},
    {">10 MS", 6, 0,
     [](const Line& line, const Tick& tick) {
       return tick.module ? std::to_string(line.slow) : std::string("-");
     }},
    {"VMA MB", 10, 1,
     [](const Line& line, const Tick&) { return Megabytes(line.vma_kb); }},
    {"RSS MB", 8, 0,
     [](const Line& line, const Tick&) { return Megabytes(line.rss_kb); }},
};

// Whether a byte of UTF-8 begins a character.
bool Begins(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

size_t Characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), Begins));
}

// The byte at which the character with this number begins.
size_t PlaceOf(std::string_view text, size_t character) {
  size_t at = 0;
  for (; at < text.size(); ++at)
    if (Begins(text[at]) && character-- == 0) break;
  return at;
}

// Makes a name `width` characters long. Comms differ at their beginning; paths
// and what rules make of them at their end.
std::string Fit(const std::string& name, size_t width, bool keep_end) {
  const size_t size = Characters(name);
  if (size <= width) return name + std::string(width - size, ' ');
  return keep_end ? "…" + name.substr(PlaceOf(name, size - width + 1))
                  : name.substr(0, PlaceOf(name, width - 1)) + "…";
}

class Table {
 public:
  Table(const View& view, const TopSettings& settings)
      : view_(view),
        settings_(settings),
        filter_(settings.filter, re2::RE2::Quiet),
        first_(settings.rows) {
    if (settings.by == TopBy::kProcess)
      TakeProcesses();
    else if (settings.by == TopBy::kComm)
      TakeSums(view.comms.get(), nullptr);
    else if (settings.by == TopBy::kGroup)
      TakeSums(view.groups.get(), nullptr);
    else
      TakeSums(view.cgroup_sums.get(), view.cgroups_of_sums.get());
  }

  std::string Render(size_t width) const;

 private:
  bool Matches(std::string_view name) const {
    return re2::RE2::PartialMatch(re2::StringPiece(name.data(), name.size()),
                                  filter_);
  }
  void Offer(const Counters& growth, const Counters& counters, uint32_t pid,
             uint32_t index) {
    first_.Offer({static_cast<double>(growth.faults),
                  static_cast<double>(counters.faults), pid, index});
  }
  std::vector<Rank> Ranks();
  void TakeProcesses();
  void TakeSums(const Sums::All* all, const CgroupsOfSums* cgroups);

  const char* NumberTitle() const {
    return settings_.by == TopBy::kProcess ? "PID" : "PROCS";
  }
  const char* NameTitle() const {
    return settings_.by == TopBy::kGroup    ? "GROUP"
           : settings_.by == TopBy::kCgroup ? "CGROUP"
                                            : "COMM";
  }
  bool HasLongNames() const {
    return settings_.by == TopBy::kGroup || settings_.by == TopBy::kCgroup;
  }
  std::vector<const Column*> ColumnsFor(size_t width, size_t* name_width) const;

  const View& view_;
  const TopSettings& settings_;
  const re2::RE2 filter_;
  FirstN first_;
  std::vector<Line> lines_;
};

std::vector<Rank> Table::Ranks() {
  std::vector<Rank> ranks = first_.Take();
  std::sort(ranks.begin(), ranks.end(),
            [](const Rank& a, const Rank& b) { return a.AheadOf(b); });
  return ranks;
}

void Table::TakeProcesses() {
  const ProcessTable& processes = view_.rows->processes;
  for (uint32_t i = 0; i < processes.size(); ++i)
    if (processes[i].live && Matches(processes.comm(processes[i])))
      Offer(view_.rows->growth[i], CountersOf(processes[i]), processes[i].pid,
            i);
  for (const Rank& rank : Ranks()) {
    const Process& process = processes[rank.index];
    lines_.push_back(
        {process.pid, WithoutControls(std::string(processes.comm(process))),
         CountersOf(process), view_.rows->growth[rank.index],
         processes.slow(process)[1], process.vma_kb, process.rss_kb});
  }
}

// `all` is null without such sums; `cgroups` have what is shown of them.
void Table::TakeSums(const Sums::All* all, const CgroupsOfSums* cgroups) {
  if (!all) return;
  const auto shown = [&](uint32_t i) {
    return cgroups && (*cgroups)[i] ? ShownName(*(*cgroups)[i])
                                    : (*all)[i].name;
  };
  for (uint32_t i = 0; i < all->size(); ++i) {
    const NamedSums& sums = (*all)[i];
    if (!sums.processes && !sums.counters.faults) continue;
    if (Matches(sums.name) || (cgroups && Matches(shown(i))))
      Offer(sums.growth, sums.counters, i, i);
  }
  for (const Rank& rank : Ranks()) {
    const NamedSums& sums = (*all)[rank.index];
    lines_.push_back({sums.processes, WithoutControls(shown(rank.index)),
                      sums.counters, sums.growth, sums.slow[1], sums.vma_kb,
                      sums.rss_kb});
  }
}

// The columns behind the name in a table of this width. The name gets what its
// texts take, as far as there is room.
std::vector<const Column*> Table::ColumnsFor(size_t width,
                                             size_t* name_width) const {
  const size_t wish = HasLongNames() ? 32 : 16;
  *name_width = wish;
  for (const Line& line : lines_)
    *name_width = std::max(*name_width, Characters(line.name));
  std::vector<const Column*> columns;
  size_t others = kNumberWidth + 1;
  for (const Column& column : kColumns) {
    columns.push_back(&column);
    others += 1 + column.width;
  }
  if (width == 0) return columns;
  for (int next = 1; next <= kMostDispensable && others + wish > width; ++next)
    std::erase_if(columns, [&](const Column* column) {
      if (column->dispensable != next) return false;
      others -= 1 + column->width;
      return true;
    });
  const size_t room = width > others ? width - others : 0;
  *name_width = std::max(std::min(*name_width, room), kLeastName);
  return columns;
}

std::string Table::Render(size_t width) const {
  size_t name_width = 0;
  const auto columns = ColumnsFor(width, &name_width);
  const Tick tick = {view_.seconds, view_.module.has_value()};
  std::string out = fmt::format("{:>{}} ", NumberTitle(), kNumberWidth) +
                    Fit(NameTitle(), name_width, false);
  for (const Column* column : columns)
    out += fmt::format(" {:>{}}", column->title, column->width);
  out += '\n';
  for (const Line& line : lines_) {
    out += fmt::format("{:>{}} ", line.number, kNumberWidth) +
           Fit(line.name, name_width, HasLongNames());
    for (const Column* column : columns)
      out += fmt::format(" {:>{}}", column->text(line, tick), column->width);
    out += '\n';
  }
  return out;
}

}  // namespace

std::string RenderTop(const View& view, const TopSettings& settings,
                      size_t width) {
  return Table(view, settings).Render(width);
}

}  // namespace pfe
