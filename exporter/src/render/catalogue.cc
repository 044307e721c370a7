// SPDX-License-Identifier: Apache-2.0
#include "render/catalogue.h"

#include <array>
#include <string_view>

namespace pfe {
namespace {

constexpr const char* kCounter = "counter";
constexpr const char* kGauge = "gauge";
constexpr const char* kHistogram = "histogram";
constexpr const char* kInfo = "info";
constexpr const char* kPidComm = "pid, comm";

constexpr MetricInfo kCatalogue[] = {
    {Metric::kFaults, "page_faults_total", kCounter, kPidComm,
     "Completed page faults of a process, minor and major, since its source "
     "began to count."},
    {Metric::kVma, "vma_bytes", kGauge, kPidComm,
     "Virtual memory of a process: the sum of its VMAs' sizes."},
    {Metric::kRss, "rss_bytes", kGauge, kPidComm,
     "Resident memory of a process."},
    {Metric::kMajor, "page_fault_process_major_total", kCounter, kPidComm,
     "Major page faults of a process: read from disk or swap, or retried."},
    {Metric::kStall, "page_fault_process_stall_seconds_total", kCounter,
     kPidComm,
     "Time a process's threads spent in page faults, retries included."},
    {Metric::kStart, "page_fault_process_start_time_seconds", kGauge, kPidComm,
     "When a process started, in seconds since 1970."},
    {Metric::kRssByType, "page_fault_process_rss_bytes", kGauge,
     "pid, comm, type", "Resident memory of a process by type of page."},
    {Metric::kSwap, "page_fault_process_swap_bytes", kGauge, kPidComm,
     "Memory of a process that is swapped out."},
    {Metric::kHugetlb, "page_fault_process_hugetlb_bytes", kGauge, kPidComm,
     "Memory of a process in huge pages of hugetlb, which no RSS includes; "
     "only processes that have some have a series."},
    {Metric::kProcessBreakdown, "page_fault_process_breakdown_total", kCounter,
     "pid, comm, severity, access, kind",
     "Page faults of the processes that fault most, by severity, access and "
     "kind of memory."},
    {Metric::kInfo, "page_fault_process_info", kInfo,
     "pid, comm, cgroup, unit, namespace, pod, pod_uid, container, "
     "container_id",
     "1, labelled with a process's control group, and with the systemd unit, "
     "Kubernetes pod and container that it belongs to. A label that is not "
     "known is absent."},
    {Metric::kCommFaults, "page_fault_comm_faults_total", kCounter,
     "comm, severity, access, kind",
     "Page faults by comm since the exporter started, exited processes "
     "included."},
    {Metric::kCommStall, "page_fault_comm_stall_seconds_total", kCounter,
     "comm",
     "Time spent in page faults by comm since the exporter started, exited "
     "processes included."},
    {Metric::kCommSlow, "page_fault_comm_slow_faults_total", kCounter,
     "comm, over",
     "Page faults by comm that took longer than `over` seconds, retries "
     "included, since the exporter started, exited processes included. Each "
     "`over` includes the larger ones: do not add them up."},
    {Metric::kCommProcesses, "page_fault_comm_processes", kGauge, "comm",
     "Live processes by comm."},
    {Metric::kCommVma, "page_fault_comm_vma_bytes", kGauge, "comm",
     "Virtual memory of live processes by comm."},
    {Metric::kCommRss, "page_fault_comm_rss_bytes", kGauge, "comm",
     "Resident memory of live processes by comm; a page that several of them "
     "share is counted for each."},
    {Metric::kCgroupFaults, "page_fault_cgroup_faults_total", kCounter,
     "cgroup, severity",
     "Page faults by control group since the exporter started, exited "
     "processes included. With --cgroups.breakdown also by access and kind of "
     "memory."},
    {Metric::kCgroupStall, "page_fault_cgroup_stall_seconds_total", kCounter,
     "cgroup",
     "Time spent in page faults by control group since the exporter started, "
     "exited processes included."},
    {Metric::kCgroupSlow, "page_fault_cgroup_slow_faults_total", kCounter,
     "cgroup, over",
     "Page faults by control group that took longer than `over` seconds, "
     "retries included, since the exporter started, exited processes included. "
     "Each `over` includes the larger ones: do not add them up."},
    {Metric::kCgroupProcesses, "page_fault_cgroup_processes", kGauge, "cgroup",
     "Live processes by control group, without those of the groups below it."},
    {Metric::kCgroupVma, "page_fault_cgroup_vma_bytes", kGauge, "cgroup",
     "Virtual memory of live processes by control group."},
    {Metric::kCgroupRss, "page_fault_cgroup_rss_bytes", kGauge, "cgroup",
     "Resident memory of live processes by control group; a page that several "
     "of them share is counted for each."},
    {Metric::kCgroupSwap, "page_fault_cgroup_swap_bytes", kGauge, "cgroup",
     "Memory of live processes that is swapped out, by control group."},
    {Metric::kCgroupInfo, "page_fault_cgroup_info", kInfo,
     "cgroup, unit, namespace, pod, pod_uid, container, container_id",
     "1, labelled with a control group, and with the systemd unit, Kubernetes "
     "pod and container that it belongs to. A label that is not known is "
     "absent."},
    {Metric::kGroupFaults, "page_fault_group_faults_total", kCounter,
     "group, severity, access, kind",
     "Page faults by group of processes (--group.by, or the list groups in the "
     "file) since the exporter started, exited processes included."},
    {Metric::kGroupStall, "page_fault_group_stall_seconds_total", kCounter,
     "group",
     "Time spent in page faults by group since the exporter started, exited "
     "processes included."},
    {Metric::kGroupSlow, "page_fault_group_slow_faults_total", kCounter,
     "group, over",
     "Page faults by group that took longer than `over` seconds, retries "
     "included, since the exporter started, exited processes included. Each "
     "`over` includes the larger ones: do not add them up."},
    {Metric::kGroupProcesses, "page_fault_group_processes", kGauge, "group",
     "Live processes by group."},
    {Metric::kGroupVma, "page_fault_group_vma_bytes", kGauge, "group",
     "Virtual memory of live processes by group."},
    {Metric::kGroupRss, "page_fault_group_rss_bytes", kGauge, "group",
     "Resident memory of live processes by group; a page that several of them "
     "share is counted for each."},
    {Metric::kMappingFaults, "page_fault_mapping_faults_total", kCounter,
     "comm, mapping",
     "Estimate, from samples, of the page faults since the exporter started, "
     "exited processes included, by comm and by what was mapped there: a file, "
     "or [heap], [stack], [anonymous]. Of the mappings with the most "
     "(--profile.mappings); the others share the bucket `other`."},
    {Metric::kMappingStall, "page_fault_mapping_stall_seconds_total", kCounter,
     "comm, mapping",
     "Estimate, from samples, of the time spent in these page faults. 0 "
     "without "
     "the module."},
    {Metric::kLatency, "page_fault_latency_seconds", kHistogram, "severity",
     "Time a page fault took until it completed, retries included."},
    {Metric::kErrors, "page_fault_errors_total", kCounter, "kind",
     "Page faults that ended in an error, by kind."},
    {Metric::kRetries, "page_fault_retries_total", kCounter, "",
     "Calls of handle_mm_fault that asked for a retry."},
    {Metric::kUnattributed, "page_fault_unattributed_total", kCounter, "",
     "Page faults in no row that the exporter read: of rows that the module "
     "dropped before, of kernel threads, of exiting processes without a row, "
     "and of processes that found no room in the table."},
    {Metric::kModuleInfo, "page_fault_module_info", kInfo,
     "version, detail, hook",
     "1, labelled with the loaded module's version, its parameter detail and "
     "the hook by which it sees faults."},
    {Metric::kModuleLoadTime, "page_fault_module_load_time_seconds", kGauge, "",
     "When the module was loaded, in seconds since 1970."},
    {Metric::kModuleCapacity, "page_fault_module_capacity", kGauge, "",
     "Rows that the module's table has room for."},
    {Metric::kModuleLiveRows, "page_fault_module_live_rows", kGauge, "",
     "Rows of living processes."},
    {Metric::kModuleExitedRows, "page_fault_module_exited_rows", kGauge, "",
     "Rows of exited processes that are still kept."},
    {Metric::kModuleBlocks, "page_fault_module_blocks", kGauge, "",
     "Blocks of counters by CPU that the module may use for processes with "
     "threads."},
    {Metric::kModuleBlocksUsed, "page_fault_module_blocks_used", kGauge, "",
     "Blocks in use. When all are in use, the threads of a further process "
     "share its counters: its faults are slower, its counts stay exact."},
    {Metric::kModuleRetiredRows, "page_fault_module_retired_rows_total",
     kCounter, "", "Rows of exited processes dropped since load."},
    {Metric::kModuleProbeMissed, "page_fault_module_probe_missed_total",
     kCounter, "", "Calls of handle_mm_fault that the probe could not see."},
    {Metric::kModuleOverflow, "page_fault_module_overflow_total", kCounter, "",
     "Page faults of processes that found no room in the table."},
    {Metric::kModuleKernelPgfault, "page_fault_module_kernel_pgfault_total",
     kCounter, "", "Growth of the kernel's own event PGFAULT since load."},
    {Metric::kModuleDrift, "page_fault_module_drift", kGauge, "",
     "Page faults counted by the module minus those counted by the kernel. "
     "A value that keeps falling below 0 means that the probe misses calls."},
    {Metric::kModuleRowsDiffering, "page_fault_module_rows_differing", kGauge,
     "", "Live rows whose counts differ from the kernel's own."},
    {Metric::kBuildInfo, "page_fault_exporter_build_info", kInfo, "version",
     "1, labelled with the version that the exporter was built from."},
    {Metric::kSource, "page_fault_exporter_source", kGauge, "source",
     "1 for the source that the values come from now."},
    {Metric::kLastReadSuccess, "page_fault_exporter_last_read_success", kGauge,
     "", "Whether the last read of a source succeeded."},
    {Metric::kReadErrors, "page_fault_exporter_read_errors_total", kCounter,
     "cause", "Failed reads of a source, by cause."},
    {Metric::kReadError, "page_fault_exporter_read_error", kGauge, "cause",
     "1 for each cause that keeps a source from being read: the preferred one, "
     "or the one that replaces it."},
    {Metric::kSnapshotAge, "page_fault_exporter_snapshot_age_seconds", kGauge,
     "", "Time since the last successful read of a source."},
    {Metric::kLastReadTime, "page_fault_exporter_last_read_timestamp_seconds",
     kGauge, "",
     "When the last successful read of a source began, in seconds since 1970. "
     "All values of processes, comms, control groups and groups are of this "
     "moment."},
    {Metric::kTicks, "page_fault_exporter_ticks_total", kCounter, "",
     "Reads of the source since the exporter started."},
    {Metric::kTickDuration, "page_fault_exporter_tick_duration_seconds", kGauge,
     "", "Time the last read took, with parsing and rendering."},
    {Metric::kTickCpu, "page_fault_exporter_tick_cpu_seconds_total", kCounter,
     "", "CPU time of all ticks."},
    {Metric::kProcesses, "page_fault_exporter_processes", kGauge, "",
     "Live processes in the last successful read."},
    {Metric::kProcessesOmitted, "page_fault_exporter_processes_omitted", kGauge,
     "",
     "Live processes without series of their own, because of the flags "
     "--processes.* and --no-pid."},
    {Metric::kCommsOmitted, "page_fault_exporter_comms_omitted", kGauge, "",
     "Comms that share the bucket `other`, because of --comms.max."},
    {Metric::kHeldFaults, "page_fault_exporter_held_faults", kGauge, "",
     "Page faults that page_fault_comm_faults_total does not show yet, because "
     "their series are new (--birth.hold)."},
    {Metric::kHeldStall, "page_fault_exporter_held_stall_seconds", kGauge, "",
     "Time that page_fault_comm_stall_seconds_total does not show yet, because "
     "its series are new (--birth.hold)."},
    {Metric::kHeldSlow, "page_fault_exporter_held_slow_faults", kGauge, "over",
     "Page faults that page_fault_comm_slow_faults_total does not show yet, "
     "because their series are new (--birth.hold). Each series is held by "
     "itself, so only the sum of what is shown and what is held is "
     "cumulative."},
    {Metric::kCgroupsOmitted, "page_fault_exporter_cgroups_omitted", kGauge, "",
     "Control groups that share the bucket `other`, because of --cgroups.max."},
    {Metric::kCgroupsHeldFaults, "page_fault_exporter_cgroups_held_faults",
     kGauge, "",
     "Page faults that page_fault_cgroup_faults_total does not show yet, "
     "because their series are new (--birth.hold)."},
    {Metric::kCgroupsHeldStall,
     "page_fault_exporter_cgroups_held_stall_seconds", kGauge, "",
     "Time that page_fault_cgroup_stall_seconds_total does not show yet, "
     "because its series are new (--birth.hold)."},
    {Metric::kCgroupsHeldSlow, "page_fault_exporter_cgroups_held_slow_faults",
     kGauge, "over",
     "Page faults that page_fault_cgroup_slow_faults_total does not show yet, "
     "because their series are new (--birth.hold)."},
    {Metric::kGroupsOmitted, "page_fault_exporter_groups_omitted", kGauge, "",
     "Groups that share the bucket `other`, because of --groups.max."},
    {Metric::kGroupsHeldFaults, "page_fault_exporter_groups_held_faults",
     kGauge, "",
     "Page faults that page_fault_group_faults_total does not show yet, "
     "because their series are new (--birth.hold)."},
    {Metric::kGroupsHeldStall, "page_fault_exporter_groups_held_stall_seconds",
     kGauge, "",
     "Time that page_fault_group_stall_seconds_total does not show yet, "
     "because its series are new (--birth.hold)."},
    {Metric::kGroupsHeldSlow, "page_fault_exporter_groups_held_slow_faults",
     kGauge, "over",
     "Page faults that page_fault_group_slow_faults_total does not show yet, "
     "because their series are new (--birth.hold)."},
    {Metric::kScrapes, "page_fault_exporter_scrapes_total", kCounter, "",
     "Requests for metrics that were answered."},
    {Metric::kMappingsOmitted, "page_fault_exporter_mappings_omitted", kGauge,
     "",
     "Mappings that share the bucket `other`, because of --profile.mappings."},
    {Metric::kProfileAttached, "page_fault_exporter_profile_attached", kGauge,
     "",
     "Whether faults are sampled for page_fault_mapping_faults_total now. For "
     "10 s after a reload they are not, so that the module can be unloaded."},
    {Metric::kProfileSamples, "page_fault_exporter_profile_samples_total",
     kCounter, "", "Faults that were sampled (--profile)."},
    {Metric::kProfileLost, "page_fault_exporter_profile_lost_total", kCounter,
     "",
     "Records of perf events that were lost, mostly because a buffer was full "
     "(--profile)."},
    {Metric::kReloads, "page_fault_exporter_config_reload_success", kGauge, "",
     "Whether the last read of the configuration succeeded."},
    {Metric::kCpu, "process_cpu_seconds_total", kCounter, "",
     "CPU time of the exporter."},
    {Metric::kResident, "process_resident_memory_bytes", kGauge, "",
     "Resident memory of the exporter."},
    {Metric::kOpenFds, "process_open_fds", kGauge, "",
     "Open file descriptors of the exporter."},
    {Metric::kStartTime, "process_start_time_seconds", kGauge, "",
     "When the exporter started, in seconds since 1970."},
};
static_assert(std::size(kCatalogue) == static_cast<size_t>(Metric::kCount));

constexpr bool InOrder() {
  for (size_t i = 0; i < std::size(kCatalogue); ++i)
    if (kCatalogue[i].metric != static_cast<Metric>(i)) return false;
  return true;
}
static_assert(InOrder());

}  // namespace

std::span<const MetricInfo> Catalogue() { return kCatalogue; }

const MetricInfo& InfoOf(Metric metric) {
  return kCatalogue[static_cast<size_t>(metric)];
}

std::string HeadOf(const MetricInfo& info, bool openmetrics) {
  std::string_view name = info.name, type = info.type;
  if (openmetrics) {
    for (const std::string_view suffix : {"_total", "_info"})
      if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
  } else if (type == kInfo) {
    type = kGauge;
  }
  std::string head = "# HELP ";
  ((head += name) += ' ') += info.help;
  head += "\n# TYPE ";
  (((head += name) += ' ') += type) += '\n';
  for (const std::string_view unit : {"seconds", "bytes"})
    if (openmetrics && name.ends_with(unit))
      (((head += "# UNIT ") += name) += ' ') += std::string(unit) + '\n';
  return head;
}

}  // namespace pfe
