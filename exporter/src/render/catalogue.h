// SPDX-License-Identifier: Apache-2.0
// Every metric that the exporter serves. This is the one place that has its
// name, type, help and labels. The tables of METRICS.md are made from it.
#ifndef EXPORTER_RENDER_CATALOGUE_H_
#define EXPORTER_RENDER_CATALOGUE_H_

#include <span>
#include <string>

namespace pfe {

enum class Metric {
  kFaults,
  kVma,
  kRss,
  kMajor,
  kStall,
  kStart,
  kRssByType,
  kSwap,
  kHugetlb,
  kProcessBreakdown,
  kInfo,
  kCommFaults,
  kCommStall,
  kCommSlow,
  kCommProcesses,
  kCommVma,
  kCommRss,
  kCgroupFaults,
  kCgroupStall,
  kCgroupSlow,
  kCgroupProcesses,
  kCgroupVma,
  kCgroupRss,
  kCgroupSwap,
  kCgroupInfo,
  kGroupFaults,
  kGroupStall,
  kGroupSlow,
  kGroupProcesses,
  kGroupVma,
  kGroupRss,
  kMappingFaults,
  kMappingStall,
  kLatency,
  kErrors,
  kRetries,
  kUnattributed,
  kModuleInfo,
  kModuleLoadTime,
  kModuleCapacity,
  kModuleLiveRows,
  kModuleExitedRows,
  kModuleBlocks,
  kModuleBlocksUsed,
  kModuleRetiredRows,
  kModuleProbeMissed,
  kModuleOverflow,
  kModuleKernelPgfault,
  kModuleDrift,
  kModuleRowsDiffering,
  kBuildInfo,
  kSource,
  kLastReadSuccess,
  kReadErrors,
  kReadError,
  kSnapshotAge,
  kLastReadTime,
  kTicks,
  kTickDuration,
  kTickCpu,
  kProcesses,
  kProcessesOmitted,
  kCommsOmitted,
  kHeldFaults,
  kHeldStall,
  kHeldSlow,
  kCgroupsOmitted,
  kCgroupsHeldFaults,
  kCgroupsHeldStall,
  kCgroupsHeldSlow,
  kGroupsOmitted,
  kGroupsHeldFaults,
  kGroupsHeldStall,
  kGroupsHeldSlow,
  kScrapes,
  kMappingsOmitted,
  kProfileAttached,
  kProfileSamples,
  kProfileLost,
  kReloads,
  kCpu,
  kResident,
  kOpenFds,
  kStartTime,
  kCount,
};

struct MetricInfo {
  Metric metric;
  const char* name;
  const char* type;    // counter, gauge, histogram or info
  const char* labels;  // "pid, comm"
  const char* help;    // with the unit
};

// In the order of the enumeration, which is also the order of the exposition.
std::span<const MetricInfo> Catalogue();
const MetricInfo& InfoOf(Metric metric);

// `# HELP` and `# TYPE` in Prometheus's text format, or in OpenMetrics. The
// latter names a family without the _total of a counter and the _info of an
// info, and has `# UNIT`. In the former an info is a gauge.
std::string HeadOf(const MetricInfo& info, bool openmetrics);

}  // namespace pfe

#endif  // EXPORTER_RENDER_CATALOGUE_H_
