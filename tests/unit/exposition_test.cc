// SPDX-License-Identifier: Apache-2.0
#include "exposition.h"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "text.h"

namespace pfe {
namespace {

Process Live(uint64_t pid, uint64_t start_ns, const char* comm,
             uint64_t faults) {
  Process process;
  process.pid = pid;
  process.start_ns = start_ns;
  process.live = true;
  process.comm = comm;
  process.faults = faults;
  process.vma_kb = 10;
  process.rss_kb = 5;
  return process;
}

TEST(RenderProcesses, IsPrometheusText) {
  Snapshot snapshot;
  snapshot.processes = {Live(7, 1, "b\"\\\n", 3), Live(2, 1, "init", 0)};
  EXPECT_EQ(
      RenderProcesses(snapshot),
      "# HELP page_faults_total Page faults of a process that completed, minor "
      "and major, since its source began to count.\n"
      "# TYPE page_faults_total counter\n"
      "page_faults_total{pid=\"2\",comm=\"init\"} 0\n"
      "page_faults_total{pid=\"7\",comm=\"b\\\"\\\\\\n\"} 3\n"
      "# HELP vma_bytes Virtual memory of a process: the sum of its VMAs' "
      "sizes.\n"
      "# TYPE vma_bytes gauge\n"
      "vma_bytes{pid=\"2\",comm=\"init\"} 10240\n"
      "vma_bytes{pid=\"7\",comm=\"b\\\"\\\\\\n\"} 10240\n"
      "# HELP rss_bytes Resident memory of a process.\n"
      "# TYPE rss_bytes gauge\n"
      "rss_bytes{pid=\"2\",comm=\"init\"} 5120\n"
      "rss_bytes{pid=\"7\",comm=\"b\\\"\\\\\\n\"} 5120\n");
}

TEST(RenderProcesses, LeavesOutExitedOnesAndOlderOwnersOfAPid) {
  Snapshot snapshot;
  snapshot.processes = {Live(7, 1, "old", 1), Live(7, 2, "new", 2),
                        Live(8, 1, "gone", 3)};
  snapshot.processes[2].live = false;
  const std::string text = RenderProcesses(snapshot);
  EXPECT_EQ(text.find("old"), std::string::npos);
  EXPECT_EQ(text.find("gone"), std::string::npos);
  EXPECT_NE(text.find("page_faults_total{pid=\"7\",comm=\"new\"} 2\n"),
            std::string::npos);
}

std::string RandomComm(std::mt19937* random) {
  std::string bytes((*random)() % 16, '\0');
  for (char& c : bytes) c = static_cast<char>((*random)());
  return ToValidUtf8(bytes);
}

prometheus::MetricFamily Reference(const char* name, const char* help,
                                   prometheus::MetricType type,
                                   const std::vector<Process>& rows,
                                   uint64_t (*value)(const Process&)) {
  prometheus::MetricFamily family{name, help, type, {}};
  for (const Process& row : rows) {
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    metric.label = {{"pid", std::to_string(row.pid)}, {"comm", row.comm}};
    (type == prometheus::MetricType::Counter ? metric.counter.value
                                             : metric.gauge.value) =
        static_cast<double>(value(row));
  }
  return family;
}

// Lines, with the values as numbers: the serializer writes 1e6 as 1000000 but
// larger ones as it likes.
std::multiset<std::pair<std::string, double>> Samples(const std::string& text) {
  std::multiset<std::pair<std::string, double>> samples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) {
      samples.emplace(line, 0);
      continue;
    }
    const size_t space = line.rfind(' ');
    samples.emplace(line.substr(0, space), std::stod(line.substr(space + 1)));
  }
  return samples;
}

TEST(RenderProcesses, EqualsPrometheusCppsSerializer) {
  std::mt19937 random(2);
  for (int round = 0; round < 50; ++round) {
    Snapshot snapshot;
    for (uint64_t pid = 1; pid <= random() % 60; ++pid) {
      Process& process = snapshot.processes.emplace_back(
          Live(pid, 1, RandomComm(&random).c_str(), random()));
      process.vma_kb = random();
      process.rss_kb = random();
    }
    using prometheus::MetricType;
    const auto& rows = snapshot.processes;
    const std::vector<prometheus::MetricFamily> families = {
        Reference("page_faults_total",
                  "Page faults of a process that completed, minor and major, "
                  "since its source began to count.",
                  MetricType::Counter, rows,
                  [](const Process& p) { return p.faults; }),
        Reference("vma_bytes",
                  "Virtual memory of a process: the sum of its VMAs' sizes.",
                  MetricType::Gauge, rows,
                  [](const Process& p) { return p.vma_kb * 1024; }),
        Reference("rss_bytes", "Resident memory of a process.",
                  MetricType::Gauge, rows,
                  [](const Process& p) { return p.rss_kb * 1024; })};
    EXPECT_EQ(Samples(RenderProcesses(snapshot)),
              Samples(prometheus::TextSerializer().Serialize(families)));
  }
}

}  // namespace
}  // namespace pfe
