// SPDX-License-Identifier: Apache-2.0
// Writes prometheus-cpp's families with SampleWriter, like all other samples.
#ifndef EXPORTER_RENDER_FAMILY_WRITER_H_
#define EXPORTER_RENDER_FAMILY_WRITER_H_

#include "render/catalogue.h"
#include "render/sample_writer.h"

namespace prometheus {
struct MetricFamily;
}  // namespace prometheus

namespace pfe {

// Appends the head of a metric and the samples of its family: counters, gauges
// or histograms, in Prometheus's text format or in OpenMetrics.
void WriteFamily(Metric metric, const prometheus::MetricFamily& family,
                 bool openmetrics, SampleWriter* head_and_samples);

}  // namespace pfe

#endif  // EXPORTER_RENDER_FAMILY_WRITER_H_
