// SPDX-License-Identifier: Apache-2.0
#include "exposition.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include "text.h"

namespace pfe {
namespace {

using Rows = std::vector<const Process*>;

Rows LiveByPid(const Snapshot& snapshot) {
  Rows rows;
  rows.reserve(snapshot.processes.size());
  for (const Process& process : snapshot.processes)
    if (process.live) rows.push_back(&process);
  const auto order = [](const Process* a, const Process* b) {
    return a->pid != b->pid ? a->pid < b->pid : a->start_ns > b->start_ns;
  };
  if (!std::is_sorted(rows.begin(), rows.end(), order))
    std::sort(rows.begin(), rows.end(), order);
  const auto same_pid = [](const Process* a, const Process* b) {
    return a->pid == b->pid;
  };
  rows.erase(std::unique(rows.begin(), rows.end(), same_pid), rows.end());
  return rows;
}

void AppendNumber(uint64_t number, std::string* out) {
  char digits[20];
  const auto [end, error] =
      std::to_chars(digits, digits + sizeof(digits), number);
  out->append(digits, end);
}

// `{pid="1",comm="init"} ` of every row, one after the other: the families
// share it.
struct Labels {
  std::string text;
  std::vector<size_t> ends;

  explicit Labels(const Rows& rows) {
    text.reserve(rows.size() * 40);
    ends.reserve(rows.size());
    for (const Process* row : rows) {
      text += "{pid=\"";
      AppendNumber(row->pid, &text);
      text += "\",comm=\"";
      AppendLabelValue(row->comm, &text);
      text += "\"} ";
      ends.push_back(text.size());
    }
  }

  std::string_view of(size_t i) const {
    const size_t start = i ? ends[i - 1] : 0;
    return std::string_view(text).substr(start, ends[i] - start);
  }
};

struct Family {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  uint64_t Process::*value;
  uint64_t factor;  // to base units
};
constexpr Family kFamilies[] = {
    {"page_faults_total", "counter",
     "Page faults of a process that completed, minor and major, since its "
     "source began to count.",
     &Process::faults, 1},
    {"vma_bytes", "gauge",
     "Virtual memory of a process: the sum of its VMAs' sizes.",
     &Process::vma_kb, 1024},
    {"rss_bytes", "gauge", "Resident memory of a process.", &Process::rss_kb,
     1024},
};

void AppendFamily(const Family& family, const Rows& rows, const Labels& labels,
                  std::string* out) {
  for (const auto& [key, text] :
       {std::pair("# HELP ", family.help), std::pair("# TYPE ", family.type)}) {
    *out += key;
    *out += family.name;
    *out += ' ';
    *out += text;
    *out += '\n';
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    *out += family.name;
    *out += labels.of(i);
    AppendNumber(rows[i]->*family.value * family.factor, out);
    *out += '\n';
  }
}

}  // namespace

std::string RenderProcesses(const Snapshot& snapshot) {
  const Rows rows = LiveByPid(snapshot);
  const Labels labels(rows);
  std::string out;
  out.reserve(3 * labels.text.size() + rows.size() * 80 + 1024);
  for (const Family& family : kFamilies)
    AppendFamily(family, rows, labels, &out);
  return out;
}

}  // namespace pfe
