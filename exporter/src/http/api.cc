// SPDX-License-Identifier: Apache-2.0
#include "http/api.h"

#include <deque>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/version.h"
#include "http/api_keys.h"
#include "http/json_response.h"
#include "http/listing.h"
#include "http/query.h"

namespace pfe {
namespace {

using Json = nlohmann::json;

HttpResponse Refuse(const std::string& why) { return JsonError(400, why); }

Json SlowJson(const SlowFaults& slow) {
  Json json = Json::object();
  for (size_t i = 0; i < kSlowBounds.size(); ++i)
    json[kSlowBounds[i]] = slow[i];
  return json;
}

// `name` is the key of the item's name: comm, group or cgroup.
Json Common(const char* name, const Item& item) {
  return {{name, item.name},
          {"faults", item.counters.faults},
          {"minor", item.counters.minor},
          {"major", item.counters.major},
          {"stall_seconds", static_cast<double>(item.counters.stall_ns) / 1e9},
          {"slow_faults", SlowJson(item.slow)},
          {"faults_rate", item.now.faults},
          {"major_rate", item.now.major},
          {"stall_rate", item.now.stall},
          {"vma_bytes", item.vma_kb * 1024},
          {"rss_bytes", item.rss_kb * 1024}};
}

Json BreakdownJson(const Breakdown& breakdown) {
  Json json = Json::array();
  for (size_t i = 0; i < kBreakdownCells; ++i)
    if (breakdown[i])
      json.push_back({{"severity", kSeverityNames[i / kKinds / kAccesses]},
                      {"access", kAccessNames[i / kKinds % kAccesses]},
                      {"kind", kKindNames[i % kKinds]},
                      {"faults", breakdown[i]}});
  return json;
}

void AddHistory(const std::vector<HistoryPoint>& points, Json* json) {
  Json faults = Json::array(), major = faults, stall = faults, rss = faults;
  for (const HistoryPoint& point : points) {
    faults.push_back(point.faults);
    major.push_back(point.major);
    stall.push_back(point.stall);
    rss.push_back(point.rss_bytes);
  }
  (*json)["history"] = {{"faults_rate", std::move(faults)},
                        {"major_rate", std::move(major)},
                        {"stall_rate", std::move(stall)},
                        {"rss_bytes", std::move(rss)}};
}

Json CgroupJson(const Cgroup& cgroup) {
  return {{"name", ShownName(cgroup)},
          {"path", cgroup.path},
          {"unit", cgroup.info.unit},
          {"namespace", cgroup.name.pod_namespace},
          {"pod", cgroup.name.pod},
          {"pod_uid", cgroup.info.pod_uid},
          {"container", cgroup.name.container},
          {"container_id", cgroup.info.container_id}};
}

Json ProcessJson(const Item& item, const Listing& wanted, const View& view) {
  const ProcessTable& processes = view.rows->processes;
  const Process& process = processes[item.index];
  Json json = Common("comm", item);
  json["pid"] = process.pid;
  json["start_time_seconds"] =
      static_cast<double>(view.boot_unix_ns + process.start_ns) / 1e9;
  json["rss"] = {{"anon", process.rss_anon_kb * 1024},
                 {"file", process.rss_file_kb * 1024},
                 {"shmem", process.rss_shmem_kb * 1024}};
  json["swap_bytes"] = process.swap_kb * 1024;
  json["hugetlb_bytes"] = process.hugetlb_kb * 1024;
  json["breakdown"] = BreakdownJson(processes.breakdown(process));
  if (process.cgroup) json["cgroup_id"] = process.cgroup;
  if (const Cgroup* cgroup = view.cgroups->Of(process))
    json["cgroup"] = CgroupJson(*cgroup);
  if (wanted.history()) {
    const auto points = view.history.Of(process);
    if (!points.empty()) AddHistory(points, &json);
  }
  return json;
}

// The rows that are in one group. The bucket of the sums stands for each group
// that has no sums of its own.
class GroupFilter {
 public:
  // Without a `wanted` name all rows match. `sums` is null if there are none,
  // and then `names` are empty.
  GroupFilter(const std::optional<std::string>& wanted,
              const KeptRowNames& names, const Sums::All* sums)
      : all_(!wanted), of_row_(names.of_row) {
    if (!wanted || !sums) return;
    std::set<std::string_view> own;
    const bool bucket = *wanted == (*sums)[Sums::kOther].name;
    if (bucket)
      for (size_t i = Sums::kOther + 1; i < sums->size(); ++i)
        own.insert((*sums)[i].name);
    for (const std::string& name : names.names)
      matches_.push_back(bucket ? !own.contains(name) : name == *wanted);
  }

  bool Matches(uint32_t row) const {
    return all_ || (row < of_row_.size() && matches_[of_row_[row]]);
  }

 private:
  const bool all_;
  const std::vector<uint32_t>& of_row_;
  std::vector<bool> matches_;  // by name
};

// Checks that there are the sums by which a request selects processes. Returns
// what is wrong, or an empty text.
std::string CheckKnown(const Listing& wanted, const View& view) {
  if (!view.read_at) return "";  // it is not known yet
  if (wanted.cgroup() && !view.cgroup_sums)
    return "cgroup: there are no sums by control group (--cgroups.max=0)";
  if (wanted.group() && !view.groups)
    return "group: there are no rules of groups (--group.by)";
  return "";
}

Json Processes(const Listing& wanted, const View& view) {
  const ProcessTable& processes = view.rows->processes;
  const GroupFilter in_cgroup(wanted.cgroup(), view.rows->cgroups,
                              view.cgroup_sums.get());
  const GroupFilter in_group(wanted.group(), view.rows->groups,
                             view.groups.get());
  std::vector<Item> items;
  size_t live = 0;
  for (uint32_t i = 0; i < processes.size(); ++i) {
    const Process& process = processes[i];
    if (!process.live) continue;
    ++live;
    if (!in_cgroup.Matches(i) || !in_group.Matches(i)) continue;
    const std::string_view comm = processes.comm(process);
    const Item item = {
        comm,
        comm,
        nullptr,
        process.pid,
        1,
        CountersOf(process),
        processes.slow(process),
        process.vma_kb,
        process.rss_kb,
        PointOf(view.rows->growth[i], process.rss_kb, view.seconds),
        i};
    if (wanted.Matches(item)) items.push_back(item);
  }
  const size_t matching = items.size();
  wanted.SortAndCut(&items);
  Json list = Json::array();
  for (const Item& item : items)
    list.push_back(ProcessJson(item, wanted, view));
  return {
      {"processes", std::move(list)}, {"matching", matching}, {"live", live}};
}

// The sums that match, sorted. `index` of an item is that of its sums. The sums
// by control group have their `cgroups`; `shown` keeps the texts of the items.
std::vector<Item> Select(const Listing& wanted, const Sums::All& all,
                         double seconds, size_t* matching,
                         const CgroupsOfSums* cgroups = nullptr,
                         std::deque<std::string>* shown = nullptr) {
  std::vector<Item> items;
  for (uint32_t i = 0; i < all.size(); ++i) {
    const NamedSums& sums = all[i];
    if (!sums.processes && !sums.counters.faults) continue;
    const Cgroup* cgroup = cgroups ? (*cgroups)[i].get() : nullptr;
    const Item item = {sums.name,
                       cgroup ? shown->emplace_back(ShownName(*cgroup))
                              : std::string_view(sums.name),
                       cgroup,
                       0,
                       sums.processes,
                       sums.counters,
                       sums.slow,
                       sums.vma_kb,
                       sums.rss_kb,
                       PointOf(sums.growth, sums.rss_kb, seconds),
                       i};
    if (wanted.Matches(item)) items.push_back(item);
  }
  *matching = items.size();
  wanted.SortAndCut(&items);
  return items;
}

// Sums by comm, or by group; `all` is null without them.
Json SumsJson(const char* label, const Listing& wanted, const Sums::All* all,
              double seconds) {
  size_t matching = 0;
  Json list = Json::array();
  std::vector<Item> items;
  if (all) items = Select(wanted, *all, seconds, &matching);
  for (const Item& item : items) {
    Json json = Common(label, item);
    json["processes"] = item.processes;
    list.push_back(std::move(json));
  }
  return {{std::string(label) + "s", std::move(list)}, {"matching", matching}};
}

Json Cgroups(const Listing& wanted, const View& view) {
  size_t matching = 0;
  Json list = Json::array();
  std::vector<Item> items;
  std::deque<std::string> shown;
  if (view.cgroup_sums)
    items = Select(wanted, *view.cgroup_sums, view.seconds, &matching,
                   view.cgroups_of_sums.get(), &shown);
  for (const Item& item : items) {
    Json json = Common("cgroup", item);
    json["processes"] = item.processes;
    json["swap_bytes"] = (*view.cgroup_sums)[item.index].swap_kb * 1024;
    if (item.cgroup) json["info"] = CgroupJson(*item.cgroup);
    list.push_back(std::move(json));
  }
  return {{"cgroups", std::move(list)}, {"matching", matching}};
}

Json HostHistory(const History& history) {
  Json time = Json::array(), faults = time, major = time, stall = time;
  for (const auto& tick : history.ticks()) {
    if (!tick->has_rates) continue;
    time.push_back(tick->unix_seconds);
    faults.push_back(tick->host.faults);
    major.push_back(tick->host.major);
    stall.push_back(tick->host.stall);
  }
  return {{"time", std::move(time)},
          {"faults_rate", std::move(faults)},
          {"major_rate", std::move(major)},
          {"stall_rate", std::move(stall)}};
}

Json LatencyJson(const Latency& latency) {
  Json json = {{"bounds_seconds", Json::array()}};
  for (uint64_t bound : latency.bounds_ns)
    json["bounds_seconds"].push_back(static_cast<double>(bound) / 1e9);
  for (size_t s = 0; s < kSeverities; ++s)
    json[kSeverityNames[s]] = {
        {"counts", latency.severities[s].counts},
        {"count", latency.severities[s].count},
        {"sum_seconds",
         static_cast<double>(latency.severities[s].sum_ns) / 1e9}};
  return json;
}

Json ModuleJson(const ModuleStats& module, const HostCounters& host) {
  Json json = Json::object();
  for (const auto& [key, text] : kApiModuleTexts)
    if (!(module.*text).empty()) json[key] = module.*text;
  for (const auto& [key, number] : kApiModuleNumbers)
    if (const auto& value = module[number]) json[key] = *value;
  for (const auto& [key, counter] : kApiHostCounters)
    if (const auto& value = host[static_cast<size_t>(counter)])
      json[key] = *value;
  return json;
}

Json Status(const View& view, const ApiFacts& facts) {
  Json json = {
      {"version", Version()},
      {"source", view.error ? Json() : Json(view.source)},
      {"interval_seconds", static_cast<double>(facts.interval.count()) / 1e3},
      {"ticks", view.ticks},
      {"tick_seconds", view.tick_seconds},
      {"processes", view.processes},
      {"processes_omitted", view.processes_omitted},
      {"comms_omitted", view.comms_omitted},
      {"cgroups_omitted", view.cgroups_omitted},
      {"groups_omitted", view.groups_omitted},
      {"has_cgroups", view.cgroup_sums != nullptr},
      {"has_groups", view.groups != nullptr},
      {"has_explain", facts.has_explain},
      {"unattributed_faults", view.unattributed},
      {"module", Json::object()},
      {"latency", LatencyJson(view.latency)},
      {"history", HostHistory(view.history)}};
  json["age_seconds"] = view.read_at
                            ? Json(std::chrono::duration<double>(
                                       View::Clock::now() - *view.read_at)
                                       .count())
                            : Json();
  const auto& problem = view.error ? view.error : view.reason;
  if (problem)
    json["problem"] = {{"cause", CauseName(problem->cause)},
                       {"message", problem->message}};
  if (view.module) json["module"] = ModuleJson(*view.module, view.host);
  return json;
}

}  // namespace

bool IsApiPath(std::string_view path) {
  return path == "/api/v1/processes" || path == "/api/v1/comms" ||
         path == "/api/v1/cgroups" || path == "/api/v1/groups" ||
         path == "/api/v1/status";
}

HttpResponse AnswerApi(std::string_view path, std::string_view query,
                       const View& view, const ApiFacts& facts) {
  std::string query_error;
  const auto parameters = ParseQuery(query, &query_error);
  if (!parameters) return Refuse(query_error);
  const bool is_cgroups = path == "/api/v1/cgroups";
  const bool is_groups = path == "/api/v1/groups";
  const bool is_processes = path == "/api/v1/processes";
  Listing wanted(is_cgroups  ? "cgroup"
                 : is_groups ? "group"
                             : "comm",
                 is_processes);
  const bool is_status = path == "/api/v1/status";
  const std::string wrong = is_status && !parameters->empty()
                                ? "status has no parameters"
                                : wanted.Set(*parameters);
  if (!wrong.empty()) return Refuse(wrong);
  if (is_status) return JsonResponse(200, Status(view, facts));
  if (is_cgroups) return JsonResponse(200, Cgroups(wanted, view));
  if (is_groups)
    return JsonResponse(
        200, SumsJson("group", wanted, view.groups.get(), view.seconds));
  if (!is_processes)
    return JsonResponse(
        200, SumsJson("comm", wanted, view.comms.get(), view.seconds));
  const std::string unknown = CheckKnown(wanted, view);
  if (!unknown.empty()) return Refuse(unknown);
  return JsonResponse(200, Processes(wanted, view));
}

}  // namespace pfe
