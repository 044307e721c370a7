// SPDX-License-Identifier: Apache-2.0
#include "http/explain.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "http/json_response.h"
#include "http/query.h"

namespace pfe {
namespace {

using Json = nlohmann::json;
using Parameters = std::map<std::string, std::string>;

constexpr uint32_t kMostSeconds = 60;
constexpr uint32_t kMostRows = 10000;
constexpr const char* kRetryAfter = "10";  // seconds

std::optional<uint32_t> ToNumber(const std::string& text) {
  uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || parsed != end) return std::nullopt;
  return number;
}

// What a request wants.
struct Wanted {
  std::optional<Selector> selector;
  uint32_t seconds = 10;
  uint32_t rows = 50;

  // Each returns what is wrong, or an empty text.
  std::string Set(const Parameters& parameters);
  std::string Select(Selector by);
  std::string SetOne(const std::string& name, const std::string& value);
};

std::string Wanted::Select(Selector by) {
  if (selector) return "comm, pid and cgroup exclude each other";
  selector = std::move(by);
  return "";
}

std::string Wanted::SetOne(const std::string& name, const std::string& value) {
  const std::optional<uint32_t> number = ToNumber(value);
  if (name == "comm") return Select(Selector::OfComm(value));
  if (name == "pid")
    return number ? Select(Selector::OfPid(*number)) : "pid is a number";
  if (name == "cgroup")
    return value.starts_with('/') ? Select(Selector::OfCgroup(value))
                                  : "cgroup is a path that begins with /";
  if (name == "seconds") {
    seconds = number.value_or(0);
    return seconds >= 1 && seconds <= kMostSeconds
               ? ""
               : "seconds is a number from 1 to 60";
  }
  if (name == "limit") {
    rows = number.value_or(0);
    return rows >= 1 && rows <= kMostRows ? ""
                                          : "limit is a number from 1 to 10000";
  }
  return name + " is not known: there are comm, pid, cgroup, seconds and limit";
}

std::string Wanted::Set(const Parameters& parameters) {
  for (const auto& [name, value] : parameters)
    if (std::string wrong = SetOne(name, value); !wrong.empty()) return wrong;
  return selector ? "" : "comm, pid or cgroup says whose faults";
}

Json SumJson(const Explanation& of, const FaultSum& sum) {
  Json json = {{"faults", sum.total()}, {"major", sum.major()}};
  if (of.has_stall) json["stall_seconds"] = sum.stall_seconds;
  return json;
}

Json FramesJson(const std::string& path) {
  Json frames = Json::array();
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find(kPathSeparator, at), path.size());
    frames.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return frames;
}

Json ListJson(const Explanation& of, const std::vector<NamedSum>& sums,
              size_t rows, bool by_path) {
  Json list = Json::array();
  for (size_t i = 0; i < std::min(sums.size(), rows); ++i) {
    Json json = SumJson(of, sums[i].sum);
    json["samples"] = sums[i].sum.samples;
    if (by_path)
      json["frames"] = FramesJson(sums[i].name);
    else
      json["name"] = sums[i].name;
    list.push_back(std::move(json));
  }
  return list;
}

Json ExplanationJson(const Explanation& of, size_t rows) {
  Json json = SumJson(of, of.all);
  json["seconds"] = of.seconds;
  json["source"] = of.by_module ? "module" : "kernel";
  json["exact"] = of.is_exact;
  json["notes"] = of.notes;
  json["samples"] = of.samples;
  json["lost"] = of.lost;
  json["not_sampled"] = SumJson(of, of.unsampled);
  json["mappings"] = ListJson(of, of.mappings, rows, false);
  json["functions"] = ListJson(of, of.functions, rows, false);
  json["stacks"] = ListJson(of, of.paths, rows, true);
  return json;
}

}  // namespace

HttpResponse AnswerExplain(std::string_view query, Explanations* explanations) {
  std::string wrong;
  const auto parameters = ParseQuery(query, &wrong);
  Wanted wanted;
  if (parameters) wrong = wanted.Set(*parameters);
  if (!wrong.empty()) return JsonError(400, wrong);
  const auto made = explanations->Make(*wanted.selector,
                                       std::chrono::seconds(wanted.seconds));
  if (made.ok())
    return JsonResponse(200, ExplanationJson(made.value(), wanted.rows));
  HttpResponse response = JsonError(503, made.error().message);
  response.headers.emplace_back("Retry-After", kRetryAfter);
  return response;
}

}  // namespace pfe
