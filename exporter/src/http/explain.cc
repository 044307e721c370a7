// SPDX-License-Identifier: Apache-2.0
#include "http/explain.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "http/explain_query.h"
#include "http/json_response.h"

namespace pfe {
namespace {

using Json = nlohmann::json;

constexpr const char* kRetryAfter = "10";  // seconds

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
  if (of.samples > 0)
    json["share_error"] = ErrorOfShare(0.5, of.effective_samples);
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
  const auto wanted = ParseExplainQuery(query, false, &wrong);
  if (!wanted) return JsonError(400, wrong);
  const auto made = explanations->Make(wanted->request);
  if (made.ok())
    return JsonResponse(200, ExplanationJson(made.value(), wanted->rows));
  HttpResponse response = JsonError(503, made.error().message);
  response.headers.emplace_back("Retry-After", kRetryAfter);
  return response;
}

}  // namespace pfe
