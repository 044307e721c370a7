// SPDX-License-Identifier: Apache-2.0
#include "exposition.h"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <random>
#include <set>
#include <sstream>

#include "samples.h"
#include "selection.h"
#include "text.h"

namespace pfe {
namespace {

// A tracker's state rendered, by family.
struct Rendered {
  Tracker tracker{1000, true};
  RenderedFamilies families;

  explicit Rendered(Snapshot snapshot, bool mandated_only = false) {
    ExpositionInput input;
    input.offered = snapshot.offered;
    tracker.Update(&snapshot);
    input.selected = Selection({}).Select(&tracker.processes());
    input.busiest = Busiest(input.selected, 50);
    input.comms = &tracker.comms();
    input.boot_unix_ns = 1700000000 * kSecond;
    input.mandated_only = mandated_only;
    families = Render(input, {});
  }

  std::string Of(Metric metric) const {
    for (const RenderedFamily& family : families)
      if (family.metric == metric) return *family.samples->plain();
    return "";
  }
};

Snapshot Everything(std::vector<Process> processes) {
  Snapshot snapshot = Of(std::move(processes));
  snapshot.offered = {true, true, true, true, true};
  return snapshot;
}

TEST(Render, TheMandatedFamilies) {
  const Rendered rendered(Of({Live(7, 1, "b\"\\\n", 3), Live(2, 1, "init", 0)}),
                          true);
  EXPECT_EQ(rendered.families.size(), 3u);
  EXPECT_EQ(rendered.Of(Metric::kFaults),
            "page_faults_total{pid=\"2\",comm=\"init\"} 0\n"
            "page_faults_total{pid=\"7\",comm=\"b\\\"\\\\\\n\"} 3\n");
  EXPECT_EQ(rendered.Of(Metric::kVma),
            "vma_bytes{pid=\"2\",comm=\"init\"} 10240\n"
            "vma_bytes{pid=\"7\",comm=\"b\\\"\\\\\\n\"} 10240\n");
  EXPECT_EQ(rendered.Of(Metric::kRss),
            "rss_bytes{pid=\"2\",comm=\"init\"} 5120\n"
            "rss_bytes{pid=\"7\",comm=\"b\\\"\\\\\\n\"} 5120\n");
}

TEST(Render, TheOthers) {
  Process process = Live(1, 1500000000, "a", 5);
  process.minor = 3;
  process.major = 2;
  process.stall_ns = 1020000000;
  process.rss_anon_kb = 1;
  process.swap_kb = 2;
  process.breakdown[5] = 3;   // minor write file
  process.breakdown[13] = 2;  // major read file
  const Rendered rendered(Everything({process}));
  EXPECT_EQ(rendered.Of(Metric::kMajor),
            "page_fault_process_major_total{pid=\"1\",comm=\"a\"} 2\n");
  EXPECT_EQ(
      rendered.Of(Metric::kStall),
      "page_fault_process_stall_seconds_total{pid=\"1\",comm=\"a\"} 1.02\n");
  EXPECT_EQ(rendered.Of(Metric::kStart),
            "page_fault_process_start_time_seconds{pid=\"1\",comm=\"a\"} "
            "1700000001.5\n");
  EXPECT_EQ(rendered.Of(Metric::kRssByType),
            "page_fault_process_rss_bytes{pid=\"1\",comm=\"a\",type=\"anon\"} "
            "1024\n"
            "page_fault_process_rss_bytes{pid=\"1\",comm=\"a\",type=\"file\"} 0\n"
            "page_fault_process_rss_bytes{pid=\"1\",comm=\"a\",type=\"shmem\"} "
            "0\n");
  EXPECT_EQ(rendered.Of(Metric::kCommFaults),
            "page_fault_comm_faults_total{comm=\"a\",severity=\"minor\",access="
            "\"write\",kind=\"file\"} 3\n"
            "page_fault_comm_faults_total{comm=\"a\",severity=\"major\",access="
            "\"read\",kind=\"file\"} 2\n");
}

TEST(Render, WhatIsNotOfferedIsNotThere) {
  const Rendered rendered(Of({Live(1, 1, "a", 5)}));
  for (Metric metric : {Metric::kMajor, Metric::kStall, Metric::kRssByType,
                        Metric::kSwap, Metric::kProcessBreakdown,
                        Metric::kCommStall, Metric::kInfo})
    EXPECT_EQ(rendered.Of(metric), "");
  EXPECT_EQ(rendered.Of(Metric::kCommFaults),
            "page_fault_comm_faults_total{comm=\"a\",severity=\"minor\",access="
            "\"unknown\",kind=\"unknown\"} 5\n");
}

TEST(Render, AFamilyThatIsTheSameIsShared) {
  Tracker tracker(1000, true);
  RenderedFamilies before, after;
  for (uint64_t faults : {1u, 2u}) {
    Snapshot snapshot = Of({Live(1, 1, "a", faults)});
    tracker.Update(&snapshot);
    ExpositionInput input;
    input.selected = Selection({}).Select(&tracker.processes());
    input.comms = &tracker.comms();
    before = std::exchange(after, Render(input, after));
  }
  EXPECT_NE(before[0].samples, after[0].samples) << "faults";
  EXPECT_EQ(before[1].samples, after[1].samples) << "VMA";
}

std::string RandomComm(std::mt19937* random) {
  std::string bytes((*random)() % 16, '\0');
  for (char& c : bytes) c = static_cast<char>((*random)());
  return ToValidUtf8(bytes);
}

// Lines, with the values as numbers.
using SampleSet = std::multiset<std::pair<std::string, double>>;
SampleSet Samples(const std::string& text) {
  SampleSet samples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const size_t space = line.rfind(' ');
    samples.emplace(line.substr(0, space), std::stod(line.substr(space + 1)));
  }
  return samples;
}

// What prometheus-cpp makes of the same values.
SampleSet Reference(Metric metric, const std::vector<Process>& rows,
                    double (*value)(const Process&)) {
  const bool counter = std::string_view(InfoOf(metric).type) == "counter";
  prometheus::MetricFamily family{
      InfoOf(metric).name, InfoOf(metric).help,
      counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge,
      {}};
  for (const Process& row : rows) {
    prometheus::ClientMetric& out = family.metric.emplace_back();
    out.label = {{"pid", std::to_string(row.pid)}, {"comm", row.comm}};
    (counter ? out.counter.value : out.gauge.value) = value(row);
  }
  return Samples(prometheus::TextSerializer().Serialize({family}));
}

TEST(Render, EqualsPrometheusCppsSerializer) {
  std::mt19937 random(2);
  for (int round = 0; round < 50; ++round) {
    std::vector<Process> rows;
    for (uint64_t pid = 1; pid <= random() % 60; ++pid) {
      Process& process =
          rows.emplace_back(Live(pid, 1, RandomComm(&random), random()));
      process.vma_kb = random();
      process.rss_kb = random();
      process.swap_kb = random();
      process.major = random();
      process.stall_ns = random();
    }
    const Rendered rendered(Everything(rows));
    EXPECT_EQ(Samples(rendered.Of(Metric::kFaults)),
              Reference(Metric::kFaults, rows, [](const Process& p) {
                return static_cast<double>(p.faults);
              }));
    EXPECT_EQ(Samples(rendered.Of(Metric::kVma)),
              Reference(Metric::kVma, rows, [](const Process& p) {
                return static_cast<double>(p.vma_kb) * 1024;
              }));
    EXPECT_EQ(Samples(rendered.Of(Metric::kSwap)),
              Reference(Metric::kSwap, rows, [](const Process& p) {
                return static_cast<double>(p.swap_kb) * 1024;
              }));
    EXPECT_EQ(Samples(rendered.Of(Metric::kMajor)),
              Reference(Metric::kMajor, rows, [](const Process& p) {
                return static_cast<double>(p.major);
              }));
    EXPECT_EQ(Samples(rendered.Of(Metric::kStall)),
              Reference(Metric::kStall, rows, [](const Process& p) {
                return static_cast<double>(p.stall_ns) / 1e9;
              }));
  }
}

}  // namespace
}  // namespace pfe
