// SPDX-License-Identifier: Apache-2.0
#include "service.h"

#include <utility>

#include "gzip.h"
#include "landing_page.h"
#include "negotiation.h"
#include "self_metrics.h"

namespace pfe {
namespace {

constexpr const char* kTextFormat = "text/plain; version=0.0.4; charset=utf-8";

std::shared_ptr<const std::string> Share(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace

Service::Service(Current current, std::string telemetry_path,
                 std::chrono::milliseconds stale_after)
    : current_(std::move(current)),
      telemetry_path_(std::move(telemetry_path)),
      stale_after_(stale_after) {}

HttpResponse Service::Answer(const HttpRequest& request) const {
  const std::string_view path = request.path;
  const bool known = path == telemetry_path_ || path == "/" ||
                     path == "/-/healthy" || path == "/-/ready";
  if (!known) return HttpResponse(404, "There is nothing here; see /\n");
  if (request.method != "GET") {
    HttpResponse response(405, "Only GET and HEAD\n");
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  if (path == telemetry_path_) return Metrics(request);
  if (path == "/-/healthy") return HttpResponse(200, "Healthy\n");
  return path == "/-/ready" ? Ready() : Landing();
}

HttpResponse Service::Metrics(const HttpRequest& request) const {
  const auto publication = current_();
  std::string self =
      RenderSelfMetrics(*publication, Publication::Clock::now());
  HttpResponse response;
  response.content_type = kTextFormat;
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (AcceptsGzip(request.header("Accept-Encoding"))) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = {publication->gzip, Share(Gzip(self))};
  } else {
    response.body = {publication->text, Share(std::move(self))};
  }
  return response;
}

HttpResponse Service::Ready() const {
  const auto publication = current_();
  if (!publication->read_at)
    return HttpResponse(503, "Not ready: " +
                                 (publication->error
                                      ? publication->error->message
                                      : std::string("nothing read yet")) +
                                 "\n");
  if (Publication::Clock::now() - *publication->read_at > stale_after_)
    return HttpResponse(
        503, "Not ready: the last good snapshot is stale" +
                 (publication->error ? ": " + publication->error->message
                                     : std::string()) +
                 "\n");
  return HttpResponse(200, "Ready\n");
}

HttpResponse Service::Landing() const {
  HttpResponse response(200, LandingPage(*current_(), telemetry_path_));
  response.content_type = "text/html; charset=utf-8";
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'");
  return response;
}

std::string RenderAll(const Publication& publication) {
  return *publication.text +
         RenderSelfMetrics(publication, Publication::Clock::now());
}

}  // namespace pfe
