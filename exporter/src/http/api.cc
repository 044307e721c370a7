// SPDX-License-Identifier: Apache-2.0
#include "http/api.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/version.h"
#include "http/query.h"

namespace pfe {
namespace {

using Json = nlohmann::json;
using Parameters = std::map<std::string, std::string>;

constexpr size_t kDefaultLimit = 50;
constexpr size_t kMostLimit = 1000;
constexpr int kLargestFilter = 500;  // instructions of RE2

HttpResponse Respond(int status, const Json& json) {
  // A comm is valid UTF-8 already; what a request had in it may not be.
  HttpResponse response(
      status, json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  response.content_type = "application/json; charset=utf-8";
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

HttpResponse Refuse(const std::string& why) {
  return Respond(400, {{"error", why}});
}

// One thing to list, with what it may be sorted by.
struct Item {
  std::string_view comm;
  uint64_t pid = 0;
  uint64_t processes = 0;
  Counters counters;
  uint64_t vma_kb = 0;
  uint64_t rss_kb = 0;
  HistoryPoint now;
  uint32_t index = 0;  // of a process
};

using SortKey = double (*)(const Item&);
constexpr std::pair<std::string_view, SortKey> kSortKeys[] = {
    {"faults_rate", [](const Item& item) { return item.now.faults; }},
    {"major_rate", [](const Item& item) { return item.now.major; }},
    {"stall_rate", [](const Item& item) { return item.now.stall; }},
    {"faults",
     [](const Item& item) {
       return static_cast<double>(item.counters.faults);
     }},
    {"major",
     [](const Item& item) { return static_cast<double>(item.counters.major); }},
    {"rss", [](const Item& item) { return static_cast<double>(item.rss_kb); }},
    {"vma", [](const Item& item) { return static_cast<double>(item.vma_kb); }},
    {"pid", [](const Item& item) { return static_cast<double>(item.pid); }},
    {"processes",
     [](const Item& item) { return static_cast<double>(item.processes); }},
};

// What a request wants to see, validated.
struct Wanted {
  SortKey sort = kSortKeys[0].second;  // null: by comm
  bool ascending = false;
  size_t limit = kDefaultLimit;
  std::unique_ptr<re2::RE2> filter;
  std::optional<std::string> comm;
  std::optional<uint64_t> pid;
  bool history = false;
};

template <typename Number>
bool ToNumber(const std::string& text, Number* number) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && at == end;
}

std::string SetSort(const std::string& value, Wanted* wanted) {
  if (value == "comm") {
    wanted->sort = nullptr;
    wanted->ascending = true;
    return "";
  }
  for (const auto& [name, key] : kSortKeys)
    if (value == name) {
      wanted->sort = key;
      return "";
    }
  return "sort is one of faults_rate, major_rate, stall_rate, faults, major, "
         "rss, vma, pid, processes and comm";
}

std::string SetFilter(const std::string& value, Wanted* wanted) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(1 << 20);
  wanted->filter = std::make_unique<re2::RE2>(value, options);
  if (!wanted->filter->ok()) return "filter: " + wanted->filter->error();
  // Matching takes time by the size, and a tick waits meanwhile.
  return wanted->filter->ProgramSize() <= kLargestFilter
             ? ""
             : "filter is too large an expression";
}

// Takes one parameter; what is wrong with it, empty if nothing is.
std::string Set(const std::string& name, const std::string& value,
                Wanted* wanted) {
  if (name == "filter") return SetFilter(value, wanted);
  if (name == "order") {
    wanted->ascending = value == "asc";
    return value == "asc" || value == "desc" ? "" : "order is asc or desc";
  }
  if (name == "limit")
    return ToNumber(value, &wanted->limit) && wanted->limit >= 1 &&
                   wanted->limit <= kMostLimit
               ? ""
               : "limit is a number from 1 to 1000";
  if (name == "history") {
    wanted->history = value == "1";
    return value == "0" || value == "1" ? "" : "history is 0 or 1";
  }
  if (name == "comm") {
    wanted->comm = value;
    return "";
  }
  if (name == "pid") {
    uint64_t pid = 0;
    const bool ok = ToNumber(value, &pid);
    wanted->pid = pid;
    return ok ? "" : "pid is a number";
  }
  return "there is no parameter \"" + name + "\"";
}

// What is wrong with the parameters, empty if nothing is. `order` wins over the
// one that `sort` brings.
std::string SetAll(const Parameters& parameters, Wanted* wanted) {
  const auto sort = parameters.find("sort");
  if (sort != parameters.end()) {
    const std::string wrong = SetSort(sort->second, wanted);
    if (!wrong.empty()) return wrong;
  }
  for (const auto& [name, value] : parameters) {
    if (name == "sort") continue;
    const std::string wrong = Set(name, value, wanted);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

bool Matches(const Item& item, const Wanted& wanted) {
  return (!wanted.comm || item.comm == *wanted.comm) &&
         (!wanted.pid || item.pid == *wanted.pid) &&
         (!wanted.filter ||
          re2::RE2::PartialMatch(
              re2::StringPiece(item.comm.data(), item.comm.size()),
              *wanted.filter));
}

// The first `limit` of those that match, in order.
void SortAndCut(const Wanted& wanted, std::vector<Item>* items) {
  const auto before = [&wanted](const Item& a, const Item& b) {
    const Item& x = wanted.ascending ? a : b;
    const Item& y = wanted.ascending ? b : a;
    if (wanted.sort) {
      const double key_x = wanted.sort(x), key_y = wanted.sort(y);
      if (key_x != key_y) return key_x < key_y;
    } else if (x.comm != y.comm) {
      return x.comm < y.comm;
    }
    return a.pid < b.pid;
  };
  const size_t n = std::min(wanted.limit, items->size());
  std::partial_sort(items->begin(), items->begin() + static_cast<ptrdiff_t>(n),
                    items->end(), before);
  items->resize(n);
}

Json Common(const Item& item) {
  return {{"comm", item.comm},
          {"faults", item.counters.faults},
          {"minor", item.counters.minor},
          {"major", item.counters.major},
          {"stall_seconds", static_cast<double>(item.counters.stall_ns) / 1e9},
          {"faults_rate", item.now.faults},
          {"major_rate", item.now.major},
          {"stall_rate", item.now.stall},
          {"vma_bytes", item.vma_kb * 1024},
          {"rss_bytes", item.rss_kb * 1024}};
}

Json BreakdownJson(const Breakdown& breakdown) {
  Json json = Json::array();
  for (size_t i = 0; i < kBreakdown; ++i)
    if (breakdown[i])
      json.push_back({{"severity", kSeverityNames[i / kKinds / kAccesses]},
                      {"access", kAccessNames[i / kKinds % kAccesses]},
                      {"kind", kKindNames[i % kKinds]},
                      {"faults", breakdown[i]}});
  return json;
}

void AddHistory(const History::Points& points, Json* json) {
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

// What processes are listed from.
struct Sources {
  const Tracker& tracker;
  const History& history;
  const CgroupCache& cgroups;
  uint64_t boot_unix_ns;
};

Json ProcessJson(const Item& item, const Wanted& wanted, const Sources& from) {
  const ProcessTable& processes = from.tracker.processes();
  const Process& process = processes[item.index];
  Json json = Common(item);
  json["pid"] = process.pid;
  json["start_time_seconds"] =
      static_cast<double>(from.boot_unix_ns + process.start_ns) / 1e9;
  json["rss"] = {{"anon", process.rss_anon_kb * 1024},
                 {"file", process.rss_file_kb * 1024},
                 {"shmem", process.rss_shmem_kb * 1024}};
  json["swap_bytes"] = process.swap_kb * 1024;
  json["breakdown"] = BreakdownJson(processes.breakdown(process));
  if (const Cgroup* cgroup = from.cgroups.Of(process))
    json["cgroup"] = {{"path", cgroup->path},
                      {"unit", cgroup->info.unit},
                      {"pod", cgroup->info.pod},
                      {"container", cgroup->info.container}};
  if (wanted.history)
    if (const History::Points* points = from.history.Of(process))
      AddHistory(*points, &json);
  return json;
}

Json Processes(const Wanted& wanted, const Sources& from) {
  const Tracker& tracker = from.tracker;
  const ProcessTable& processes = tracker.processes();
  std::vector<Item> items;
  size_t live = 0;
  for (uint32_t i = 0; i < processes.size(); ++i) {
    const Process& process = processes[i];
    if (!process.live) continue;
    ++live;
    const Item item = {
        processes.comm(process),
        process.pid,
        1,
        {process.faults, process.minor, process.major, process.stall_ns},
        process.vma_kb,
        process.rss_kb,
        PointOf(tracker.tracked()[i].growth, process.rss_kb, tracker.seconds()),
        i};
    if (Matches(item, wanted)) items.push_back(item);
  }
  const size_t matching = items.size();
  SortAndCut(wanted, &items);
  Json list = Json::array();
  for (const Item& item : items)
    list.push_back(ProcessJson(item, wanted, from));
  return {
      {"processes", std::move(list)}, {"matching", matching}, {"live", live}};
}

Json Comms(const Wanted& wanted, const Tracker& tracker) {
  std::vector<Item> items;
  for (const CommSums& sums : tracker.comms()) {
    if (!sums.processes && !sums.counters.faults) continue;
    const Item item = {sums.comm,
                       0,
                       sums.processes,
                       sums.counters,
                       sums.vma_kb,
                       sums.rss_kb,
                       PointOf(sums.growth, sums.rss_kb, tracker.seconds()),
                       0};
    if (Matches(item, wanted)) items.push_back(item);
  }
  const size_t matching = items.size();
  SortAndCut(wanted, &items);
  Json list = Json::array();
  for (const Item& item : items) {
    Json json = Common(item);
    json["processes"] = item.processes;
    list.push_back(std::move(json));
  }
  return {{"comms", std::move(list)}, {"matching", matching}};
}

Json HostHistory(const History& history) {
  Json time = Json::array(), faults = time, major = time, stall = time;
  for (const HostPoint& point : history.host()) {
    time.push_back(point.unix_seconds);
    faults.push_back(point.point.faults);
    major.push_back(point.point.major);
    stall.push_back(point.point.stall);
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
  for (const auto& [key, value] : module.all)
    std::visit([&json, &key = key](const auto& v) { json[key] = v; }, value);
  for (size_t i = 0; i < host.size(); ++i)
    if (host[i]) json[kHostCounterNames[i]] = *host[i];
  return json;
}

Json Status(const Publication& publication, const History& history,
            std::chrono::milliseconds interval) {
  Json json = {
      {"version", Version()},
      {"source", publication.error ? Json() : Json(publication.source)},
      {"interval_seconds", static_cast<double>(interval.count()) / 1e3},
      {"ticks", publication.ticks},
      {"tick_seconds", publication.tick_seconds},
      {"processes", publication.processes},
      {"processes_omitted", publication.processes_omitted},
      {"comms_omitted", publication.comms_omitted},
      {"unattributed_faults", publication.unattributed},
      {"module", Json::object()},
      {"latency", LatencyJson(publication.latency)},
      {"history", HostHistory(history)}};
  json["age_seconds"] =
      publication.read_at
          ? Json(std::chrono::duration<double>(Publication::Clock::now() -
                                               *publication.read_at)
                     .count())
          : Json();
  if (publication.reason)
    json["problem"] = {{"cause", CauseName(publication.reason->cause)},
                       {"message", publication.reason->message}};
  if (publication.module)
    json["module"] = ModuleJson(*publication.module, publication.host);
  return json;
}

}  // namespace

bool IsApiPath(std::string_view path) {
  return path == "/api/v1/processes" || path == "/api/v1/comms" ||
         path == "/api/v1/status";
}

HttpResponse AnswerApi(std::string_view path, std::string_view query,
                       const Publication& publication, const Pipeline& pipeline,
                       std::chrono::milliseconds interval) {
  const auto parameters = ParseQuery(query);
  if (!parameters) return Refuse("the query cannot be taken apart");
  Wanted wanted;
  const bool is_status = path == "/api/v1/status";
  const std::string wrong = is_status && !parameters->empty()
                                ? "status has no parameters"
                                : SetAll(*parameters, &wanted);
  if (!wrong.empty()) return Refuse(wrong);
  Json json;
  pipeline.Look([&](const Tracker& tracker, const History& history,
                    const CgroupCache& cgroups) {
    if (is_status)
      json = Status(publication, history, interval);
    else if (path == "/api/v1/comms")
      json = Comms(wanted, tracker);
    else
      json = Processes(wanted,
                       {tracker, history, cgroups, publication.boot_unix_ns});
  });
  return Respond(200, json);
}

}  // namespace pfe
