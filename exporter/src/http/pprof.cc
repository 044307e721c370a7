// SPDX-License-Identifier: Apache-2.0
#include "http/pprof.h"

#include <memory>
#include <string>
#include <vector>

#include "http/explain_query.h"
#include "profile/pprof.h"
#include "render/gzip.h"

namespace pfe {
namespace {

// What limits it, in sentences.
std::vector<std::string> Comments(const Explanation& of) {
  std::vector<std::string> comments = of.notes;
  comments.emplace_back(
      of.is_exact ? "the sums by comm, severity and kind are those of the "
                    "module's counters"
                  : "the numbers are estimates");
  return comments;
}

HttpResponse Refuse(int status, const std::string& why) {
  return HttpResponse(status, why + "\n");
}

}  // namespace

HttpResponse AnswerPprof(std::string_view query, Explanations* explanations) {
  std::string wrong;
  auto wanted = ParseExplainQuery(query, true, &wrong);
  if (!wanted) return Refuse(400, wrong);
  wanted->request.with_labels = true;
  const auto made = explanations->Make(wanted->request);
  if (!made.ok()) {
    HttpResponse response = Refuse(503, made.error().message);
    response.headers.emplace_back("Retry-After", "10");
    return response;
  }
  const Explanation& explanation = made.value();
  const PprofTime time = {explanation.begin_unix_ns,
                          static_cast<uint64_t>(explanation.seconds * 1e9)};
  HttpResponse response;
  response.content_type = "application/octet-stream";
  response.headers.emplace_back("Content-Disposition",
                                "attachment; filename=\"page_faults\"");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.body = {std::make_shared<const std::string>(
      Gzip(EncodePprof(explanation.labelled, time, Comments(explanation))))};
  return response;
}

}  // namespace pfe
