// SPDX-License-Identifier: Apache-2.0
#include "self_metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <utility>
#include <vector>

#include "page_faults.h"

namespace pfe {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

class Families {
 public:
  // Starts a family; the values that follow are its own.
  void Begin(const char* name, MetricType type, const char* help) {
    MetricFamily& family = families_.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
  }

  void Value(double value, Labels labels = {}) {
    MetricFamily& family = families_.back();
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = std::move(labels);
    if (family.type == MetricType::Counter)
      metric.counter.value = value;
    else
      metric.gauge.value = value;
  }

  void One(const char* name, MetricType type, const char* help, double value,
           Labels labels = {}) {
    Begin(name, type, help);
    Value(value, std::move(labels));
  }

  std::string Text() const {
    return prometheus::TextSerializer().Serialize(families_);
  }

 private:
  std::vector<MetricFamily> families_;
};

void AddExporter(const Publication& publication,
                 Publication::Clock::time_point now, Families* out) {
  out->One("page_fault_exporter_build_info", MetricType::Gauge,
           "1, labelled by the version the exporter was built from.", 1,
           {{"version", Version()}});
  out->One("page_fault_exporter_source", MetricType::Gauge,
           "1 for the source that the values come from, 0 while it cannot be "
           "read.",
           publication.error ? 0 : 1, {{"source", publication.source}});
  out->One("page_fault_exporter_last_read_success", MetricType::Gauge,
           "Whether the source could be read the last time.",
           publication.error || publication.ticks == 0 ? 0 : 1);
  out->Begin("page_fault_exporter_read_errors_total", MetricType::Counter,
             "Reads of the source that failed, by cause.");
  for (size_t i = 0; i < kCauseNames.size(); ++i)
    out->Value(static_cast<double>(publication.errors[i]),
               {{"cause", kCauseNames[i]}});
  out->Begin("page_fault_exporter_read_error", MetricType::Gauge,
             "1 for the cause for which the source cannot be read now.");
  for (size_t i = 0; i < kCauseNames.size(); ++i)
    out->Value(publication.error &&
                       static_cast<size_t>(publication.error->cause) == i
                   ? 1
                   : 0,
               {{"cause", kCauseNames[i]}});
  if (publication.read_at)
    out->One("page_fault_exporter_snapshot_age_seconds", MetricType::Gauge,
             "Time since the source was last read with success.",
             std::chrono::duration<double>(now - *publication.read_at).count());
  out->One("page_fault_exporter_ticks_total", MetricType::Counter,
           "Reads of the source since the exporter started.",
           static_cast<double>(publication.ticks));
  out->One("page_fault_exporter_tick_duration_seconds", MetricType::Gauge,
           "Time the last read took, with parsing and rendering.",
           publication.tick_seconds);
  out->One("page_fault_exporter_processes", MetricType::Gauge,
           "Live processes in the last read.",
           static_cast<double>(publication.processes));
}

struct StatFamily {
  const char* key;
  const char* name;
  MetricType type;
  const char* help;
};
constexpr StatFamily kStatFamilies[] = {
    {PF_KEY_CAPACITY, "page_fault_module_capacity", MetricType::Gauge,
     "Rows that the module's table has room for."},
    {PF_KEY_LIVE, "page_fault_module_live_rows", MetricType::Gauge,
     "Rows of living processes."},
    {PF_KEY_EXITED, "page_fault_module_exited_rows", MetricType::Gauge,
     "Rows of exited processes that are still kept."},
    {PF_KEY_RETIRED_ROWS, "page_fault_module_retired_rows_total",
     MetricType::Counter, "Rows of exited processes dropped since load."},
    {PF_KEY_PROBE_MISSED, "page_fault_module_probe_missed_total",
     MetricType::Counter,
     "Calls of handle_mm_fault that the probe could not see."},
    {PF_KEY_OVERFLOW_PREFIX PF_COL_FAULTS,
     "page_fault_module_overflow_total", MetricType::Counter,
     "Faults of processes that found no room in the table."},
    {PF_KEY_KERNEL_PGFAULT, "page_fault_module_kernel_pgfault_total",
     MetricType::Counter,
     "Growth of the kernel's own event PGFAULT since load."},
    {PF_KEY_DRIFT, "page_fault_module_drift", MetricType::Gauge,
     "Faults that the module counted less those the kernel did; a steady "
     "value other than 0 is a fault of the probe."},
    {PF_KEY_ROWS_DIFFER, "page_fault_module_rows_differing", MetricType::Gauge,
     "Live rows whose counts are not the kernel's own."},
    {PF_COL_RETRIED, "page_fault_retries_total", MetricType::Counter,
     "Calls of handle_mm_fault that were to be retried."},
};

double Number(const Stats& stats, const char* key) {
  return static_cast<double>(stats.numbers.find(key)->second);
}

void AddErrors(const Stats& stats, Families* out) {
  if (!stats.numbers.count(PF_COL_SIGBUS)) return;
  out->Begin("page_fault_errors_total", MetricType::Counter,
             "Faults that ended in an error, by kind.");
  for (const char* kind :
       {PF_COL_SIGBUS, PF_COL_SIGSEGV, PF_COL_OOM, PF_COL_HWPOISON})
    if (stats.numbers.count(kind))
      out->Value(Number(stats, kind), {{"kind", kind}});
}

std::string Text(const Stats& stats, const char* key) {
  const auto text = stats.texts.find(key);
  if (text != stats.texts.end()) return text->second;
  const auto number = stats.numbers.find(key);
  return number == stats.numbers.end() ? "" : std::to_string(number->second);
}

void AddModule(const Stats& stats, Families* out) {
  if (stats.numbers.empty()) return;
  out->One("page_fault_module_info", MetricType::Gauge,
           "1, labelled by the loaded module's version and its parameter "
           "detail.",
           1,
           {{"version", Text(stats, PF_KEY_MODULE_VERSION)},
            {"detail", Text(stats, PF_KEY_DETAIL)}});
  for (const StatFamily& family : kStatFamilies)
    if (stats.numbers.count(family.key))
      out->One(family.name, family.type, family.help,
               Number(stats, family.key));
  AddErrors(stats, out);
}

}  // namespace

std::string RenderSelfMetrics(const Publication& publication,
                              Publication::Clock::time_point now) {
  Families families;
  AddExporter(publication, now, &families);
  AddModule(publication.stats, &families);
  return families.Text();
}

const char* Version() { return PFE_VERSION; }

}  // namespace pfe
