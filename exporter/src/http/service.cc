// SPDX-License-Identifier: Apache-2.0
#include "http/service.h"

#include <algorithm>
#include <utility>

#include "http/api.h"
#include "http/explain.h"
#include "http/json_response.h"
#include "http/live_page.h"
#include "http/loopback.h"
#include "http/negotiation.h"
#include "http/pprof.h"
#include "render/gzip.h"

namespace pfe {
namespace {

constexpr std::string_view kExplainPath = "/api/v1/explain";
constexpr std::string_view kPprofPath = "/debug/pprof/page_faults";
constexpr const char* kTextType = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* kOpenMetricsType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

RenderedText::Bytes Share(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

// Builds a body from texts, plain or as one gzip member.
class BodyBuilder {
 public:
  explicit BodyBuilder(bool gzip) : gzip_(gzip) {
    if (gzip_) body_.push_back(Share(GzipFrame::Header()));
  }

  void Add(const RenderedText& text) {
    if (!gzip_) return body_.push_back(text.plain());
    const RenderedText::Packed& packed = text.packed();
    frame_.Add(*packed);
    body_.emplace_back(packed, &packed->bytes);
  }
  std::vector<RenderedText::Bytes> Finish() {
    if (gzip_) body_.push_back(Share(frame_.Trailer()));
    return std::move(body_);
  }

 private:
  const bool gzip_;
  GzipFrame frame_;
  std::vector<RenderedText::Bytes> body_;
};

// Adds the head and the samples of each family; nothing is copied.
void AddFamilies(const View& view, bool openmetrics, BodyBuilder* body) {
  for (const RenderedFamily& family : view.families) {
    body->Add(HeadText(family.metric, openmetrics));
    const bool other = openmetrics && family.openmetrics;
    body->Add(other ? *family.openmetrics : *family.samples);
  }
}

// A snapshot is stale when it is older than this many intervals. A tick hangs
// when it takes longer than that, and than kHangs.
constexpr int kStaleIntervals = 3;
constexpr std::chrono::seconds kHangs{10};

// Counts a request while its answer is made, but not while the answer is sent:
// a client that does not read must not keep others out.
class InFlight {
 public:
  explicit InFlight(std::atomic<int>* count) : count_(count), now_(++*count) {}
  ~InFlight() { --*count_; }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  int now() const { return now_; }

 private:
  std::atomic<int>* const count_;
  const int now_;
};

}  // namespace

Service::Service(Poller* poller, const ServiceSettings& settings)
    : poller_(poller),
      settings_(settings),
      interval_ms_(settings.interval.count()) {}

HttpResponse Service::Answer(const HttpRequest& request) {
  const std::string_view path = request.path;
  const bool is_api = path.starts_with("/api/v1/");
  const bool known = path == settings_.telemetry_path || path == "/" ||
                     path == "/-/healthy" || path == "/-/ready" ||
                     path == kExplainPath || path == kPprofPath ||
                     (is_api && IsApiPath(path)) || IsAssetPath(path);
  if (!known) return HttpResponse(404, "Not found: / lists what is served\n");
  if (request.method != "GET") {
    HttpResponse response(405, "Only GET and HEAD\n");
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  if (path == kExplainPath || path == kPprofPath) return Explain(request);
  if (path == settings_.telemetry_path || is_api) return Limited(request);
  if (path == "/-/healthy") return Healthy();
  if (path == "/-/ready") return Ready();
  if (path == "/")
    return AnswerLivePage(*poller_->Current(), settings_.telemetry_path);
  return AnswerAsset(path, AcceptsGzip(request.header("Accept-Encoding")));
}

// Not among the limited requests: it has a limit of its own, and takes time but
// little work.
HttpResponse Service::Explain(const HttpRequest& request) const {
  if (!settings_.explanations)
    return JsonError(404, "the exporter runs without --profile");
  if (!settings_.explains_remote && !IsOfThisMachine(request))
    return JsonError(
        403,
        "only requests of this machine, to localhost, are answered, "
        "because the exporter runs without --profile.remote");
  return request.path == kPprofPath
             ? AnswerPprof(request.query, settings_.explanations)
             : AnswerExplain(request.query, settings_.explanations);
}

HttpResponse Service::Limited(const HttpRequest& request) {
  const InFlight in_flight(&in_flight_);
  if (settings_.max_requests > 0 && in_flight.now() > settings_.max_requests)
    return HttpResponse(503, "More than " +
                                 std::to_string(settings_.max_requests) +
                                 " requests at once (--web.max-requests)\n");
  if (request.path == settings_.telemetry_path) return Metrics(request);
  return AnswerApi(request.path, request.query, *poller_->Current(),
                   {std::chrono::milliseconds(interval_ms_),
                    settings_.explanations != nullptr});
}

HttpResponse Service::Metrics(const HttpRequest& request) {
  const std::string encoding = request.header("Accept-Encoding");
  const Format format = PreferredFormat(request.header("Accept"));
  const bool gzip = AcceptsGzip(encoding);
  if (!gzip && !AcceptsIdentity(encoding))
    return HttpResponse(406, "Offered are no compression and gzip\n");
  ++scrapes_;
  return RenderMetrics(format, gzip);
}

ServiceNumbers Service::Numbers() const {
  ServiceNumbers numbers;
  numbers.scrapes = scrapes_;
  numbers.config_ok = config_ok_;
  if (!settings_.explanations) return numbers;
  ProfileNumbers& profile = numbers.profile.emplace();
  profile.samples = settings_.explanations->samples();
  profile.lost = settings_.explanations->lost();
  if (const Profiler* const profiler = settings_.profiler) {
    profile.samples += profiler->samples();
    profile.lost += profiler->lost();
    profile.mappings = profiler->mappings();
    profile.is_attached = profiler->is_attached();
  }
  return numbers;
}

HttpResponse Service::RenderMetrics(Format format, bool gzip) {
  const auto view = poller_->Current();
  const bool openmetrics = format == Format::kOpenMetrics;
  const ServiceNumbers numbers = Numbers();
  std::string own =
      RenderSelfMetrics(*view, &numbers, View::Clock::now(), openmetrics);
  if (openmetrics) own += "# EOF\n";
  HttpResponse response;
  response.content_type = openmetrics ? kOpenMetricsType : kTextType;
  response.headers.emplace_back("Vary", "Accept, Accept-Encoding");
  poller_->Want(gzip);
  if (gzip) response.headers.emplace_back("Content-Encoding", "gzip");
  BodyBuilder body(gzip);
  AddFamilies(*view, openmetrics, &body);
  body.Add(RenderedText(std::move(own)));
  response.body = body.Finish();
  return response;
}

HttpResponse Service::Healthy() const {
  const auto began = poller_->TickBegan();
  if (!began) return HttpResponse(200, "Healthy\n");
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(
      View::Clock::now() - *began);
  const std::chrono::milliseconds interval(interval_ms_);
  if (age <=
      std::max<std::chrono::milliseconds>(kStaleIntervals * interval, kHangs))
    return HttpResponse(200, "Healthy\n");
  return HttpResponse(503, "Not healthy: a tick has not ended for " +
                               std::to_string(age.count() / 1000) + " s\n");
}

HttpResponse Service::Ready() const {
  const auto view = poller_->Current();
  const std::string why = view->error ? ": " + view->error->message : "";
  if (!view->read_at)
    return HttpResponse(503, "Not ready: nothing was read yet" + why + "\n");
  if (View::Clock::now() - *view->read_at >
      kStaleIntervals * std::chrono::milliseconds(interval_ms_))
    return HttpResponse(
        503, "Not ready: the last good snapshot is stale" + why + "\n");
  return HttpResponse(200, "Ready\n");
}

std::string RenderAll(const View& view) {
  BodyBuilder body(false);
  AddFamilies(view, false, &body);
  std::string text;
  for (const auto& piece : body.Finish()) text += *piece;
  return text + RenderSelfMetrics(view, nullptr, View::Clock::now(), false);
}

}  // namespace pfe
