// SPDX-License-Identifier: Apache-2.0
#include "render/self_metrics.h"

#include <dirent.h>
#include <prometheus/metric_family.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/version.h"
#include "render/catalogue.h"
#include "render/family_writer.h"

namespace pfe {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using LabelPairs = std::vector<ClientMetric::Label>;

class Families {
 public:
  // Starts a family. The values that are added next belong to it.
  void Begin(Metric metric) {
    const std::string_view type = InfoOf(metric).type;
    metrics_.push_back(metric);
    MetricFamily& family = families_.emplace_back();
    family.name = InfoOf(metric).name;
    family.type = type == "counter"     ? MetricType::Counter
                  : type == "histogram" ? MetricType::Histogram
                                        : MetricType::Gauge;
  }

  ClientMetric& Add(LabelPairs labels) {
    ClientMetric& metric = families_.back().metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
  }

  void Value(double value, LabelPairs labels = {}) {
    const bool counter = families_.back().type == MetricType::Counter;
    ClientMetric& metric = Add(std::move(labels));
    (counter ? metric.counter.value : metric.gauge.value) = value;
  }

  void One(Metric metric, double value, LabelPairs labels = {}) {
    Begin(metric);
    Value(value, std::move(labels));
  }

  std::string Text(bool openmetrics) const {
    SampleWriter writer;
    for (size_t i = 0; i < families_.size(); ++i)
      WriteFamily(metrics_[i], families_[i], openmetrics, &writer);
    return std::string(writer.text());
  }

 private:
  std::vector<Metric> metrics_;
  std::vector<MetricFamily> families_;  // in the order of metrics_
};

void AddLatency(const Latency& latency, Families* out) {
  if (latency.bounds_ns.empty()) return;
  out->Begin(Metric::kLatency);
  for (size_t s = 0; s < kSeverities; ++s) {
    const Histogram& from = latency.severities[s];
    auto& to = out->Add({{"severity", kSeverityNames[s]}}).histogram;
    to.sample_count = from.count;
    to.sample_sum = static_cast<double>(from.sum_ns) / 1e9;
    for (size_t i = 0; i < latency.bounds_ns.size(); ++i)
      to.bucket.push_back(
          {from.counts[i], static_cast<double>(latency.bounds_ns[i]) / 1e9});
    to.bucket.push_back({from.count, std::numeric_limits<double>::infinity()});
  }
}

double CounterOf(const View& view, HostCounter counter) {
  return static_cast<double>(*view.host[static_cast<size_t>(counter)]);
}

bool Has(const View& view, HostCounter counter) {
  return view.host[static_cast<size_t>(counter)].has_value();
}

// The label `kind` of page_fault_errors_total.
constexpr std::pair<HostCounter, const char*> kErrorKinds[] = {
    {HostCounter::kSigbus, "sigbus"},
    {HostCounter::kSigsegv, "sigsegv"},
    {HostCounter::kOom, "oom"},
    {HostCounter::kHwpoison, "hwpoison"},
};

void AddHost(const View& view, Families* out) {
  AddLatency(view.latency, out);
  if (Has(view, HostCounter::kSigbus)) {
    out->Begin(Metric::kErrors);
    for (const auto& [counter, kind] : kErrorKinds)
      if (Has(view, counter))
        out->Value(CounterOf(view, counter), {{"kind", kind}});
  }
  if (Has(view, HostCounter::kRetried))
    out->One(Metric::kRetries, CounterOf(view, HostCounter::kRetried));
  if (view.module)
    out->One(Metric::kUnattributed, static_cast<double>(view.unattributed));
}

constexpr std::pair<ModuleNumber, Metric> kModuleNumbers[] = {
    {ModuleNumber::kCapacity, Metric::kModuleCapacity},
    {ModuleNumber::kLive, Metric::kModuleLiveRows},
    {ModuleNumber::kExited, Metric::kModuleExitedRows},
    {ModuleNumber::kBlocks, Metric::kModuleBlocks},
    {ModuleNumber::kBlocksUsed, Metric::kModuleBlocksUsed},
    {ModuleNumber::kRetiredRows, Metric::kModuleRetiredRows},
    {ModuleNumber::kProbeMissed, Metric::kModuleProbeMissed},
    {ModuleNumber::kOverflowFaults, Metric::kModuleOverflow},
    {ModuleNumber::kKernelPgfault, Metric::kModuleKernelPgfault},
    {ModuleNumber::kDrift, Metric::kModuleDrift},
    {ModuleNumber::kRowsDiffer, Metric::kModuleRowsDiffering},
};

void AddModule(const View& view, Families* out) {
  if (!view.module) return;
  const ModuleStats& module = *view.module;
  out->One(Metric::kModuleInfo, 1,
           {{"version", module.version},
            {"detail", module.detail},
            {"hook", module.hook}});
  if (const auto loaded_ns = module[ModuleNumber::kLoadedNs])
    out->One(Metric::kModuleLoadTime, (static_cast<double>(view.boot_unix_ns) +
                                       static_cast<double>(*loaded_ns)) /
                                          1e9);
  for (const auto& [number, metric] : kModuleNumbers)
    if (const auto value = module[number])
      out->One(metric, static_cast<double>(*value));
}

void AddReads(const View& view, Families* out) {
  out->Begin(Metric::kSource);
  for (const char* source : {"module", "procfs"})
    out->Value(!view.error && view.source == source, {{"source", source}});
  out->One(Metric::kLastReadSuccess, !view.error && view.ticks > 0);
  out->Begin(Metric::kReadError);
  for (size_t i = 0; i < kCauseNames.size(); ++i)
    out->Value(view.FailedBy(i), {{"cause", kCauseNames[i]}});
  if (view.read_at) out->One(Metric::kLastReadTime, view.read_unix_seconds);
}

void AddHeld(const HeldBack& held, Metric faults, Metric stall, Metric slow,
             Families* out) {
  out->One(faults, static_cast<double>(held.faults));
  out->One(stall, static_cast<double>(held.stall_ns) / 1e9);
  out->Begin(slow);
  for (size_t i = 0; i < kSlowBounds.size(); ++i)
    out->Value(static_cast<double>(held.slow[i]), {{"over", kSlowBounds[i]}});
}

void AddExporter(const View& view, Families* out) {
  out->One(Metric::kBuildInfo, 1, {{"version", Version()}});
  AddReads(view, out);
  out->One(Metric::kProcesses, static_cast<double>(view.processes));
  out->One(Metric::kProcessesOmitted,
           static_cast<double>(view.processes_omitted));
  out->One(Metric::kCommsOmitted, static_cast<double>(view.comms_omitted));
  AddHeld(view.held, Metric::kHeldFaults, Metric::kHeldStall, Metric::kHeldSlow,
          out);
  if (view.cgroup_sums) {
    out->One(Metric::kCgroupsOmitted,
             static_cast<double>(view.cgroups_omitted));
    AddHeld(view.cgroups_held, Metric::kCgroupsHeldFaults,
            Metric::kCgroupsHeldStall, Metric::kCgroupsHeldSlow, out);
  }
  if (view.groups) {
    out->One(Metric::kGroupsOmitted, static_cast<double>(view.groups_omitted));
    AddHeld(view.groups_held, Metric::kGroupsHeldFaults,
            Metric::kGroupsHeldStall, Metric::kGroupsHeldSlow, out);
  }
}

// Initialized before main() runs.
const double kStarted = static_cast<double>(ClockNs(CLOCK_REALTIME)) / 1e9;

// Returns nothing if they cannot be counted, for example because no descriptor
// is free to open the directory.
std::optional<double> OpenFds() {
  double n = -1;  // does not count the directory's own descriptor
  DIR* directory = opendir("/proc/self/fd");
  if (!directory) return std::nullopt;
  errno = 0;
  while (const dirent* entry = readdir(directory))
    if (entry->d_name[0] != '.') ++n;
  const bool counted = errno == 0;
  closedir(directory);
  return counted ? std::optional<double>(n) : std::nullopt;
}

// What goes on from tick to tick. In the output of --once it would stand still.
void AddTicks(const View& view, View::Clock::time_point now, Families* out) {
  out->Begin(Metric::kReadErrors);
  for (size_t i = 0; i < kCauseNames.size(); ++i)
    out->Value(static_cast<double>(view.errors[i]),
               {{"cause", kCauseNames[i]}});
  if (view.read_at)
    out->One(Metric::kSnapshotAge,
             std::chrono::duration<double>(now - *view.read_at).count());
  out->One(Metric::kTicks, static_cast<double>(view.ticks));
  out->One(Metric::kTickDuration, view.tick_seconds);
  out->One(Metric::kTickCpu, view.tick_cpu_seconds);
}

void AddMappings(const ProfileNumbers& profile, Families* out) {
  const MappingSums& sums = *profile.mappings;
  out->Begin(Metric::kMappingFaults);
  for (const MappingSum& sum : sums.all)
    out->Value(static_cast<double>(sum.faults),
               {{"comm", sum.comm}, {"mapping", sum.mapping}});
  out->Begin(Metric::kMappingStall);
  for (const MappingSum& sum : sums.all)
    out->Value(static_cast<double>(sum.stall_ns) / 1e9,
               {{"comm", sum.comm}, {"mapping", sum.mapping}});
  out->One(Metric::kMappingsOmitted, static_cast<double>(sums.omitted));
  out->One(Metric::kProfileAttached, profile.is_attached);
}

void AddProfile(const ProfileNumbers& profile, Families* out) {
  if (profile.mappings) AddMappings(profile, out);
  out->One(Metric::kProfileSamples, static_cast<double>(profile.samples));
  out->One(Metric::kProfileLost, static_cast<double>(profile.lost));
}

// The service's requests, its configuration, and its process.
void AddService(const ServiceNumbers& service, Families* out) {
  out->One(Metric::kScrapes, static_cast<double>(service.scrapes));
  if (service.profile) AddProfile(*service.profile, out);
  out->One(Metric::kReloads, service.config_ok);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / 1e6;
  };
  out->One(Metric::kCpu, seconds(usage.ru_utime) + seconds(usage.ru_stime));
  std::ifstream statm("/proc/self/statm");
  double size = 0, resident = 0;
  if (statm >> size >> resident)
    out->One(Metric::kResident,
             resident * static_cast<double>(sysconf(_SC_PAGESIZE)));
  if (const auto fds = OpenFds()) out->One(Metric::kOpenFds, *fds);
  out->One(Metric::kStartTime, kStarted);
}

}  // namespace

std::string RenderSelfMetrics(const View& view, const ServiceNumbers* service,
                              View::Clock::time_point now, bool openmetrics) {
  Families families;
  AddHost(view, &families);
  AddModule(view, &families);
  AddExporter(view, &families);
  if (service) {
    AddTicks(view, now, &families);
    AddService(*service, &families);
  }
  return families.Text(openmetrics);
}

}  // namespace pfe
