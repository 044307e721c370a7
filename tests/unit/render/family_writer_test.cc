// SPDX-License-Identifier: Apache-2.0
#include "render/family_writer.h"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <random>
#include <string>

#include "samples.h"

namespace pfe {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string Written(Metric metric, const MetricFamily& family,
                    bool openmetrics = false) {
  SampleWriter writer;
  WriteFamily(metric, family, openmetrics, &writer);
  return std::string(writer.text());
}

MetricFamily Histogram() {
  MetricFamily family{
      InfoOf(Metric::kLatency).name, "", MetricType::Histogram, {}};
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = {{"severity", "minor"}};
  metric.histogram.sample_count = 9;
  metric.histogram.sample_sum = 1.5;
  metric.histogram.bucket = {
      {1, 8192e-9}, {7, 1}, {9, std::numeric_limits<double>::infinity()}};
  return family;
}

TEST(WriteFamily, AHistogramWithExactBounds) {
  EXPECT_EQ(Written(Metric::kLatency, Histogram()),
            HeadOf(InfoOf(Metric::kLatency), false) +
                "page_fault_latency_seconds_bucket{severity=\"minor\","
                "le=\"8.192e-06\"} 1\n"
                "page_fault_latency_seconds_bucket{severity=\"minor\","
                "le=\"1\"} 7\n"
                "page_fault_latency_seconds_bucket{severity=\"minor\","
                "le=\"+Inf\"} 9\n"
                "page_fault_latency_seconds_sum{severity=\"minor\"} 1.5\n"
                "page_fault_latency_seconds_count{severity=\"minor\"} 9\n");
  EXPECT_NE(Written(Metric::kLatency, Histogram(), true).find("le=\"1.0\""),
            std::string::npos);
}

// prometheus-cpp prints 16 digits: the values here have no more.
TEST(WriteFamily, EqualsPrometheusCppsSerializer) {
  std::mt19937 random(2);
  for (int round = 0; round < 50; ++round) {
    for (const Metric metric : {Metric::kReadErrors, Metric::kProcesses}) {
      const bool counter = std::string_view(InfoOf(metric).type) == "counter";
      MetricFamily family{InfoOf(metric).name,
                          InfoOf(metric).help,
                          counter ? MetricType::Counter : MetricType::Gauge,
                          {}};
      for (auto i = random() % 9; i > 0; --i) {
        ClientMetric& one = family.metric.emplace_back();
        one.label = {{"a", RandomText(&random)}, {"b", RandomText(&random)}};
        (counter ? one.counter.value : one.gauge.value) =
            static_cast<double>(random()) / 4;
      }
      EXPECT_EQ(Samples(Written(metric, family)),
                Samples(prometheus::TextSerializer().Serialize({family})));
    }
    MetricFamily family = Histogram();
    family.metric[0].histogram.sample_sum = static_cast<double>(random()) / 8;
    family.metric[0].histogram.bucket[0].upper_bound = 0.5;
    EXPECT_EQ(Samples(Written(Metric::kLatency, family)),
              Samples(prometheus::TextSerializer().Serialize({family})));
  }
}

}  // namespace
}  // namespace pfe
