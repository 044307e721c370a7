// SPDX-License-Identifier: Apache-2.0
#include "render/family_writer.h"

#include <prometheus/metric_family.h>

#include <string>

namespace pfe {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

template <typename Value>
void Append(const std::string& name, std::string_view labels,
            std::string_view more, Value value, SampleWriter* out) {
  out->Reserve(
      SampleWriter::SampleRoom(name.size(), labels.size() + more.size()));
  out->AppendSample(name, labels, more, value);
}

std::string LabelsOf(const ClientMetric& metric) {
  SampleWriter labels;
  for (const ClientMetric::Label& label : metric.label) {
    labels.Reserve(SampleWriter::LabelRoom(label.name, label.value.size()));
    labels.AppendLabel(label.name, label.value);
  }
  return std::string(labels.text());
}

void AppendHistogram(const std::string& name, std::string_view labels,
                     const ClientMetric::Histogram& histogram, bool openmetrics,
                     SampleWriter* out) {
  SampleWriter le;
  for (const ClientMetric::Bucket& bucket : histogram.bucket) {
    const std::string bound = FormatBound(bucket.upper_bound, openmetrics);
    le.Clear(SampleWriter::LabelRoom("le", bound.size()));
    le.AppendLabel("le", bound);
    Append(name + "_bucket", labels, le.text(), bucket.cumulative_count, out);
  }
  Append(name + "_sum", labels, "", histogram.sample_sum, out);
  Append(name + "_count", labels, "", histogram.sample_count, out);
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
      Append(family.name, labels, "",
             family.type == MetricType::Counter ? client.counter.value
                                                : client.gauge.value,
             head_and_samples);
  }
}

}  // namespace pfe
