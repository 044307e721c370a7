// SPDX-License-Identifier: Apache-2.0
#include "render/top_table.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <string>
#include <vector>

#include "follow/ranking.h"

namespace pfe {
namespace {

// Replaces control characters: a comm must not move a terminal's cursor.
std::string Printable(std::string comm) {
  std::replace_if(
      comm.begin(), comm.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
      '?');
  // Some terminals take U+0080 to U+009F for control characters too.
  for (size_t at = 0; (at = comm.find('\xc2', at)) != std::string::npos; ++at)
    if (at + 1 < comm.size() && static_cast<unsigned char>(comm[at + 1]) < 0xa0)
      comm.replace(at, 2, "?");
  return comm;
}

double PerSecond(uint64_t growth, double seconds) {
  return seconds > 0 ? static_cast<double>(growth) / seconds : 0;
}

}  // namespace

std::string RenderTop(const View& view, size_t rows) {
  const ProcessTable& processes = view.rows->processes;
  FirstN first(rows);
  for (uint32_t i = 0; i < processes.size(); ++i)
    if (processes[i].live)
      first.Offer({static_cast<double>(view.rows->growth[i].faults),
                   static_cast<double>(processes[i].faults), processes[i].pid,
                   i});
  std::vector<Rank> ranks = first.Take();
  std::sort(ranks.begin(), ranks.end(),
            [](const Rank& a, const Rank& b) { return a.AheadOf(b); });
  std::string out = fmt::format(
      "{:>8} {:<16} {:>10} {:>8} {:>8} {:>12} {:>9} {:>8} {:>10} {:>10}\n",
      "PID", "COMM", "FAULTS/s", "MAJOR/s", "STALL%", "FAULTS", "MAJOR",
      ">10 MS", "VMA MB", "RSS MB");
  const double seconds = view.seconds;
  for (const Rank& rank : ranks) {
    const Process& process = processes[rank.index];
    const Counters& growth = view.rows->growth[rank.index];
    out += fmt::format(
        "{:>8} {:<16} {:>10.0f} {:>8.0f} {:>8} {:>12} {:>9} {:>8} {:>10.1f} "
        "{:>10.1f}\n",
        process.pid, Printable(std::string(processes.comm(process))),
        PerSecond(growth.faults, seconds), PerSecond(growth.major, seconds),
        // Only the module measures stall and slow faults.
        view.module
            ? fmt::format("{:.1f}", PerSecond(growth.stall_ns, seconds) / 1e7)
            : "-",
        process.faults, process.major,
        view.module ? fmt::format("{}", processes.slow(process)[1]) : "-",
        static_cast<double>(process.vma_kb) / 1024,
        static_cast<double>(process.rss_kb) / 1024);
  }
  return out;
}

}  // namespace pfe
