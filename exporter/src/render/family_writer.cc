// SPDX-License-Identifier: Apache-2.0
#include "render/family_writer.h"

#include <prometheus/metric_family.h>

#include <string>

namespace pfe {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

std::string LabelsOf(const ClientMetric& metric) {
  SampleWriter labels;
  for (const ClientMetric::Label& label : metric.label)
    labels.AddLabel(label.name, label.value);
  return std::string(labels.text());
}

void AppendHistogram(const std::string& name, std::string_view labels,
                     const ClientMetric::Histogram& histogram, bool openmetrics,
                     SampleWriter* out) {
  SampleWriter le;
  for (const ClientMetric::Bucket& bucket : histogram.bucket) {
    le.Clear();
    le.AddLabel("le", FormatBound(bucket.upper_bound, openmetrics));
    out->AddSample(name + "_bucket", labels, le.text(),
                   bucket.cumulative_count);
  }
  out->AddSample(name + "_sum", labels, "", histogram.sample_sum);
  out->AddSample(name + "_count", labels, "", histogram.sample_count);
}

}  // namespace

void WriteFamily(Metric metric, const prometheus::MetricFamily& family,
                 bool openmetrics, SampleWriter* head_and_samples) {
  head_and_samples->AppendText(HeadOf(InfoOf(metric), openmetrics));
  for (const ClientMetric& client : family.metric) {
    const std::string labels = LabelsOf(client);
    if (family.type == MetricType::Histogram)
      AppendHistogram(family.name, labels, client.histogram, openmetrics,
                      head_and_samples);
    else
      head_and_samples->AddSample(family.name, labels, "",
                                  family.type == MetricType::Counter
                                      ? client.counter.value
                                      : client.gauge.value);
  }
}

}  // namespace pfe
