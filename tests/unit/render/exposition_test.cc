// SPDX-License-Identifier: Apache-2.0
#include "render/exposition.h"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <utility>

#include "base/utf8.h"
#include "samples.h"

namespace pfe {
namespace {

// Renders ticks, and gives the text of a family.
class Rendered {
 public:
  explicit Rendered(Snapshot snapshot, bool basic_families_only = false) {
    Tick(std::move(snapshot), basic_families_only);
  }
  void Tick(Snapshot snapshot, bool basic_families_only = false,
            const Forms& forms = {}) {
    ExpositionInput input;
    input.offered = snapshot.offered;
    pfe::Tick(std::move(snapshot), &follower_);
    const FollowedTick& tick = follower_.last();
    selection_.Select(tick.rows->processes, tick.states, tick.changes.all);
    input.rows = tick.rows.get();
    input.comms = follower_.sums().all().get();
    input.changes = &tick.changes;
    input.selection = &selection_;
    input.boot_unix_ns = boot_seconds_ * kSecond;
    input.boot_moved = std::exchange(boot_moved_, false);
    input.created = created_;
    input.basic_families_only = basic_families_only;
    input.forms = forms;
    families_ = renderer_.Render(input, families_);
  }

  void set_created(bool created) { created_ = created; }
  void MoveBoot(uint64_t seconds) {
    boot_seconds_ = seconds;
    boot_moved_ = true;
  }

  const Sums::All& comms() const { return *follower_.sums().all(); }
  const RenderedFamilies& families() const { return families_; }
  const RenderedText* Family(Metric metric) const {
    for (const RenderedFamily& family : families_)
      if (family.metric == metric) return family.samples.get();
    return nullptr;
  }
  std::string OpenMetrics(Metric metric) const {
    for (const RenderedFamily& family : families_)
      if (family.metric == metric && family.openmetrics)
        return *family.openmetrics->plain();
    return Of(metric);
  }
  std::string Of(Metric metric) const {
    const RenderedText* family = Family(metric);
    return family ? *family->plain() : "";
  }

 private:
  Follower follower_{1000, true};
  Selection selection_{{.max = 100000}};
  Renderer renderer_;
  RenderedFamilies families_;
  uint64_t boot_seconds_ = 1700000000;
  bool boot_moved_ = false, created_ = false;
};

Snapshot Everything(const std::vector<Sample>& processes) {
  Snapshot snapshot = Of(processes);
  snapshot.offered = {true, true, true, true, true, true, true};
  return snapshot;
}

TEST(Render, TheBasicFamilies) {
  const Rendered rendered(Of({Live(7, 1, "b\"\\\n", 3), Live(2, 1, "init", 0)}),
                          true);
  EXPECT_EQ(rendered.families().size(), 3u);
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
  Sample process = Live(1, 1500000000, "a", 5);
  process.minor = 3;
  process.major = 2;
  process.stall_ns = 1020000000;
  process.rss_anon_kb = 1;
  process.swap_kb = 2;
  process.hugetlb_kb = 4;
  process.breakdown[5] = 3;   // minor write file
  process.breakdown[13] = 2;  // major read file
  process.slow = {4, 2, 0, 0};
  const Rendered rendered(Everything({process}));
  EXPECT_EQ(rendered.Of(Metric::kMajor),
            "page_fault_process_major_total{pid=\"1\",comm=\"a\"} 2\n");
  EXPECT_EQ(
      rendered.Of(Metric::kStall),
      "page_fault_process_stall_seconds_total{pid=\"1\",comm=\"a\"} 1.02\n");
  EXPECT_EQ(rendered.Of(Metric::kStart),
            "page_fault_process_start_time_seconds{pid=\"1\",comm=\"a\"} "
            "1700000001.5\n");
  EXPECT_EQ(
      rendered.Of(Metric::kRssByType),
      "page_fault_process_rss_bytes{pid=\"1\",comm=\"a\",type=\"anon\"} "
      "1024\n"
      "page_fault_process_rss_bytes{pid=\"1\",comm=\"a\",type=\"file\"} 0\n"
      "page_fault_process_rss_bytes{pid=\"1\",comm=\"a\",type=\"shmem\"} "
      "0\n");
  EXPECT_EQ(rendered.Of(Metric::kHugetlb),
            "page_fault_process_hugetlb_bytes{pid=\"1\",comm=\"a\"} 4096\n");
  EXPECT_EQ(rendered.Of(Metric::kCommFaults),
            "page_fault_comm_faults_total{comm=\"a\",severity=\"minor\",access="
            "\"write\",kind=\"file\"} 3\n"
            "page_fault_comm_faults_total{comm=\"a\",severity=\"major\",access="
            "\"read\",kind=\"file\"} 2\n");
  EXPECT_EQ(rendered.Of(Metric::kCommSlow),
            "page_fault_comm_slow_faults_total{comm=\"a\",over=\"0.001\"} 4\n"
            "page_fault_comm_slow_faults_total{comm=\"a\",over=\"0.01\"} 2\n");
}

TEST(Render, WhatIsNotOfferedIsNotThere) {
  const Rendered rendered(Of({Live(1, 1, "a", 5)}));
  for (Metric metric :
       {Metric::kMajor, Metric::kStall, Metric::kRssByType, Metric::kSwap,
        Metric::kHugetlb, Metric::kProcessBreakdown, Metric::kCommStall,
        Metric::kCommSlow, Metric::kInfo})
    EXPECT_EQ(rendered.Of(metric), "");
  EXPECT_EQ(rendered.Of(Metric::kCommFaults),
            "page_fault_comm_faults_total{comm=\"a\",severity=\"minor\",access="
            "\"unknown\",kind=\"unknown\"} 5\n");
}

// The text format has no _created. The flag can be switched between ticks in
// which nothing changes, and the time follows a clock that is set.
TEST(Render, CountersByCommCanSaySinceWhenTheyCount) {
  Sample process = Live(1, 1, "a", 5);
  process.breakdown[5] = 5;
  process.slow = {5, 0, 0, 0};
  Rendered rendered(Everything({process}));
  const std::string text = rendered.Of(Metric::kCommFaults);
  EXPECT_EQ(rendered.OpenMetrics(Metric::kCommFaults), text);
  rendered.set_created(true);
  rendered.Tick(Everything({process}));
  EXPECT_EQ(rendered.Of(Metric::kCommFaults), text);
  const uint64_t created_ns = rendered.comms().at(1).created_ns;
  const std::string labels =
      R"({comm="a",severity="minor",access="write",kind="file"} )";
  const auto expected = [&](uint64_t boot_seconds) {
    const uint64_t seconds = boot_seconds + created_ns / kSecond;
    return "page_fault_comm_faults_total" + labels + "5\n" +
           "page_fault_comm_faults_created" + labels + std::to_string(seconds) +
           "\n";
  };
  EXPECT_EQ(rendered.OpenMetrics(Metric::kCommFaults), expected(1700000000));
  const std::string stall = rendered.OpenMetrics(Metric::kCommStall);
  EXPECT_NE(stall.find("page_fault_comm_stall_seconds_created{comm=\"a\"} "),
            std::string::npos);
  const std::string slow = rendered.OpenMetrics(Metric::kCommSlow);
  EXPECT_NE(slow.find("page_fault_comm_slow_faults_created{comm=\"a\",over="
                      "\"0.001\"} "),
            std::string::npos);
  EXPECT_EQ(rendered.OpenMetrics(Metric::kCommRss).find("_created"),
            std::string::npos);
  rendered.MoveBoot(1800000000);
  rendered.Tick(Everything({process}));
  EXPECT_EQ(rendered.OpenMetrics(Metric::kCommFaults), expected(1800000000));
  rendered.set_created(false);
  rendered.Tick(Everything({process}));
  EXPECT_EQ(rendered.OpenMetrics(Metric::kCommFaults), text);
}

// Few processes use hugetlb, so those that do not have no series. The family
// comes and goes with those that do.
TEST(Render, WhoHasNoHugetlbHasNoSeriesOfIt) {
  std::vector<Sample> processes = {Live(1, 1, "a", 1), Live(2, 1, "b", 2)};
  Rendered rendered(Everything(processes));
  EXPECT_EQ(rendered.Family(Metric::kHugetlb), nullptr);
  processes[1].hugetlb_kb = 2048;
  rendered.Tick(Everything(processes), false, {true, true});
  EXPECT_EQ(rendered.Of(Metric::kHugetlb),
            "page_fault_process_hugetlb_bytes{pid=\"2\",comm=\"b\"} 2097152\n");
  processes[1].hugetlb_kb = 0;
  rendered.Tick(Everything(processes));
  EXPECT_EQ(rendered.Family(Metric::kHugetlb), nullptr);
}

// A family that did not change is neither rendered nor compressed again. Every
// family has the text that a renderer without a past makes.
TEST(Render, AFamilyThatIsTheSameIsShared) {
  std::vector<Sample> processes = {Live(1, 1, "a", 1), Live(2, 1, "b", 2)};
  processes[0].slow = {1, 0, 0, 0};
  Rendered rendered(Everything(processes));
  const auto tick = [&](std::vector<Metric> others) {
    std::map<Metric, const RenderedText*> before;
    for (const RenderedFamily& family : rendered.families())
      before[family.metric] = family.samples.get();
    const RenderedFamilies kept = rendered.families();
    rendered.Tick(Everything(processes));
    const Rendered anew(Everything(processes));
    for (const RenderedFamily& family : rendered.families()) {
      const bool other =
          std::count(others.begin(), others.end(), family.metric);
      EXPECT_EQ(family.samples.get() != before[family.metric], other)
          << InfoOf(family.metric).name;
      EXPECT_EQ(*family.samples->plain(), anew.Of(family.metric));
    }
  };
  std::vector<Metric> comms = {Metric::kCommFaults, Metric::kCommStall,
                               Metric::kCommSlow,   Metric::kCommProcesses,
                               Metric::kCommVma,    Metric::kCommRss};
  const auto with = [&](std::vector<Metric> metrics) {
    metrics.insert(metrics.end(), comms.begin(), comms.end());
    return metrics;
  };
  tick({});
  processes[0].vma_kb = 77;
  tick(with({Metric::kVma}));
  processes[1].rss_kb = 78;
  tick(with({Metric::kRss}));
  processes[1].rss_shmem_kb = 79;
  tick({Metric::kRssByType});
  processes[0].swap_kb = 80;
  tick({Metric::kSwap});
  processes[0].hugetlb_kb = 2048;
  tick({Metric::kHugetlb});
  tick({});
}

TEST(Render, MoreProcessesThanAChunk) {
  std::vector<Sample> processes;
  for (uint32_t pid = 1; pid <= 5000; ++pid)
    processes.push_back(Live(pid, pid, "c", pid));
  const Rendered rendered(Of(processes), true);
  std::string expected;
  for (uint32_t pid = 1; pid <= 5000; ++pid)
    expected += "page_faults_total{pid=\"" + std::to_string(pid) +
                "\",comm=\"c\"} " + std::to_string(pid) + "\n";
  EXPECT_EQ(rendered.Of(Metric::kFaults), expected);
}

SampleSet NotZero(const std::string& text) {
  SampleSet samples = Samples(text);
  std::erase_if(samples, [](const auto& sample) { return sample.second == 0; });
  return samples;
}

// Changes one value of a process, or the order of all.
void ChangeOne(std::vector<Sample>* processes, std::mt19937* random) {
  Sample& one = (*processes)[(*random)() % processes->size()];
  switch ((*random)() % 10) {
    case 0:
      one.minor = ++one.faults;
      break;
    case 1:
      ++one.vma_kb;
      break;
    case 2:
      ++one.rss_kb;
      break;
    case 3:
      ++one.stall_ns;
      break;
    case 4:
      one.comm = "c" + std::to_string((*random)() % 6);
      break;
    case 5:
      one.live = !one.live;
      break;
    case 6:
      one.start_ns += 100 * kSecond;
      break;
    case 7:
      one.hugetlb_kb = (*random)() % 2 * 2048;
      break;
    case 8:
      for (uint64_t& slow : one.slow) ++slow;
      break;
    default:
      std::shuffle(processes->begin(), processes->end(), *random);
  }
}

TEST(Render, WhatChangesIsRenderedAgain) {
  std::mt19937 random(5);
  std::vector<Sample> processes;
  for (uint32_t pid = 1; pid <= 30; ++pid)
    processes.push_back(Live(pid, pid, "c" + std::to_string(pid % 4), pid));
  Rendered rendered(Everything(processes));
  for (int round = 0; round < 200; ++round) {
    ChangeOne(&processes, &random);
    const bool plain = random() % 2 == 0;
    rendered.Tick(Everything(processes), false,
                  {plain, !plain || random() % 2 == 0});
    const Rendered anew(Everything(processes));
    for (Metric metric :
         {Metric::kFaults, Metric::kVma, Metric::kRss, Metric::kStall,
          Metric::kStart, Metric::kSwap, Metric::kHugetlb})
      ASSERT_EQ(rendered.Of(metric), anew.Of(metric)) << round;
    // One of them also has the comms that were; both their own order.
    for (Metric metric : {Metric::kCommVma, Metric::kCommProcesses})
      ASSERT_EQ(NotZero(rendered.Of(metric)), NotZero(anew.Of(metric)))
          << round;
  }
}

// The samples that prometheus-cpp makes of the same values.
SampleSet Reference(Metric metric, const std::vector<Sample>& rows,
                    double (*value)(const Process&)) {
  const bool counter = std::string_view(InfoOf(metric).type) == "counter";
  prometheus::MetricFamily family{
      InfoOf(metric).name,
      InfoOf(metric).help,
      counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge,
      {}};
  for (const Sample& row : rows) {
    prometheus::ClientMetric& out = family.metric.emplace_back();
    out.label = {{"pid", std::to_string(row.pid)}, {"comm", row.comm}};
    (counter ? out.counter.value : out.gauge.value) = value(row);
  }
  return Samples(prometheus::TextSerializer().Serialize({family}));
}

TEST(Render, EqualsPrometheusCppsSerializer) {
  std::mt19937 random(2);
  for (int round = 0; round < 50; ++round) {
    std::vector<Sample> rows;
    for (uint32_t pid = 1; pid <= random() % 60; ++pid) {
      Sample& process =
          rows.emplace_back(Live(pid, 1, RandomText(&random), random()));
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
