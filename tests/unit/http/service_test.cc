// SPDX-License-Identifier: Apache-2.0
#include "http/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <regex>
#include <set>

#include "samples.h"
#include "tick/pipeline.h"
#include "tick/poller.h"
#include "wait.h"

namespace pfe {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Body(const HttpResponse& response) {
  std::string body;
  for (const auto& piece : response.body) body += *piece;
  return body;
}

std::string Header(const HttpResponse& response, const std::string& name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}

std::set<std::string> Found(const std::string& text, const char* expression) {
  const std::regex wanted(expression);
  std::set<std::string> found;
  for (std::sregex_iterator i(text.begin(), text.end(), wanted), end; i != end;
       ++i)
    found.insert(i->str());
  return found;
}

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() { source_.Then(Of({Live(1, 1, "init", 5)})); }

  // The first request starts the poller and the service.
  HttpResponse Get(std::string_view path, std::string_view encoding = "",
                   std::string_view accept = "",
                   std::string_view method = "GET") {
    if (!service_) {
      pipeline_ = std::make_unique<Pipeline>(&source_, PipelineSettings());
      poller_ = std::make_unique<Poller>(pipeline_.get(), interval_,
                                         [](const auto&) {});
      poller_->AwaitFirstTick(kLongestWait);
      service_ = std::make_unique<Service>(poller_.get(),
                                           ServiceSettings{.interval = stale_});
    }
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.header = [=](const char* name) {
      return std::string(std::string_view(name) == "Accept-Encoding" ? encoding
                         : std::string_view(name) == "Accept"        ? accept
                                                                     : "");
    };
    return service_->Answer(request);
  }

  std::chrono::milliseconds interval_{3600000};
  std::chrono::milliseconds stale_{15000};
  FakeSource source_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<Service> service_;
};

constexpr const char* kOpenMetrics =
    "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";

TEST_F(ServiceTest, MetricsAreTheTicksTextAndOurOwn) {
  const HttpResponse response = Get("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(Body(response), testing::StartsWith("# HELP page_faults_total "));
  EXPECT_THAT(Body(response),
              HasSubstr("page_fault_exporter_source{source=\"module\"} 1"));
  EXPECT_EQ(response.body[1], poller_->Current()->families[0].samples->plain())
      << "copied, not shared";
}

TEST_F(ServiceTest, OpenMetricsHasTheSameSamples) {
  const HttpResponse text = Get("/metrics");
  const HttpResponse openmetrics = Get("/metrics", "", kOpenMetrics);
  EXPECT_THAT(openmetrics.content_type,
              HasSubstr("application/openmetrics-text; version=1.0.0"));
  EXPECT_EQ(openmetrics.body[1], text.body[1]) << "rendered twice";
  EXPECT_THAT(Body(openmetrics), HasSubstr("# TYPE page_faults counter\n"));
  EXPECT_THAT(Body(openmetrics),
              HasSubstr("# TYPE page_fault_exporter_ticks counter\n"));
  EXPECT_THAT(Body(openmetrics),
              HasSubstr("\npage_fault_exporter_ticks_total 1\n"));
  EXPECT_THAT(Body(openmetrics), testing::EndsWith("\n# EOF\n"));
  EXPECT_THAT(Body(text), Not(HasSubstr("# EOF")));
}

TEST_F(ServiceTest, MetricsCompressedOnRequest) {
  const HttpResponse response = Get("/metrics", "gzip");
  EXPECT_EQ(Header(response, "Content-Encoding"), "gzip");
  EXPECT_EQ(Header(response, "Vary"), "Accept, Accept-Encoding");
  EXPECT_EQ(response.body[2]->data(),
            poller_->Current()->families[0].samples->packed()->bytes.data())
      << "copied, not shared";
  EXPECT_EQ(Header(Get("/metrics", "gzip;q=0"), "Content-Encoding"), "");
}

TEST_F(ServiceTest, AnEncodingThatIsNotThereIsNotAcceptable) {
  EXPECT_EQ(Get("/metrics", "identity;q=0").status, 406);
  EXPECT_EQ(Get("/metrics", "gzip, identity;q=0").status, 200);
  EXPECT_EQ(Get("/metrics", "", "*/*").status, 200);
}

TEST_F(ServiceTest, AFailedReadIsSaid) {
  source_ = FakeSource();
  source_.Then(Error{Cause::kNoModule, "no module"});
  const std::string body = Body(Get("/metrics"));
  EXPECT_THAT(body,
              HasSubstr("page_fault_exporter_source{source=\"module\"} 0"));
  EXPECT_THAT(body, HasSubstr("page_fault_exporter_last_read_success 0"));
  EXPECT_THAT(
      body, HasSubstr("page_fault_exporter_read_error{cause=\"no_module\"} 1"));
  EXPECT_THAT(body, Not(HasSubstr("page_faults_total{")));
}

TEST_F(ServiceTest, PathsAreExact) {
  for (const char* path : {"/metricsXY", "/metrics/", "/metric", "/x", "//"})
    EXPECT_EQ(Get(path).status, 404) << path;
}

TEST_F(ServiceTest, OtherMethodsAreRefused) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "BREW"}) {
    const HttpResponse response = Get("/metrics", "", "", method);
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(Header(response, "Allow"), "GET, HEAD");
  }
}

TEST_F(ServiceTest, ReadyOnceThereIsAFreshSnapshot) {
  EXPECT_EQ(Get("/-/ready").status, 200);
  EXPECT_EQ(Get("/-/healthy").status, 200);
}

TEST_F(ServiceTest, TextIsTheFallback) {
  for (const char* accept : {"text/html", "application/json", "*/*;q=0"})
    EXPECT_EQ(Get("/metrics", "", accept).content_type,
              "text/plain; version=0.0.4; charset=utf-8")
        << accept;
}

TEST_F(ServiceTest, NotReadyBeforeTheFirstSnapshot) {
  source_ = FakeSource();
  source_.Then(Error{Cause::kNoModule, "the module is gone"});
  EXPECT_EQ(Get("/-/ready").status, 503);
  EXPECT_THAT(Body(Get("/-/ready")), HasSubstr("the module is gone"));
  EXPECT_EQ(Get("/-/healthy").status, 200);
}

TEST_F(ServiceTest, NotReadyWhenTheSnapshotIsStale) {
  source_.Then(Error{Cause::kNoModule, "the module is gone"});
  interval_ = std::chrono::milliseconds(1);
  stale_ = std::chrono::milliseconds(0);  // any age is too old
  Get("/");
  WaitUntil([this] { return poller_->Current()->error.has_value(); });
  EXPECT_EQ(Get("/-/ready").status, 503);
  EXPECT_THAT(Body(Get("/-/ready")), HasSubstr("the module is gone"));
}

TEST_F(ServiceTest, TheApiIsServed) {
  EXPECT_EQ(Get("/api/v1/processes").status, 200);
  EXPECT_EQ(Get("/api/v1/status").status, 200);
  EXPECT_EQ(Get("/api/v1/nothing").status, 404);
  EXPECT_EQ(Get("/api/v1/processes", "", "", "POST").status, 405);
}

TEST_F(ServiceTest, PageLinksMetricsAndEscapes) {
  source_ = FakeSource();
  source_.Then(Error{Cause::kMalformed, "<script>alert(1)</script>"});
  const HttpResponse response = Get("/");
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(Body(response), HasSubstr("href=\"/metrics\""));
  EXPECT_THAT(Body(response), HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(Body(response), Not(HasSubstr("<script>alert")));
  EXPECT_THAT(Body(response), Not(HasSubstr("{{")));
}

TEST_F(ServiceTest, PageAndAssetsAllowNothingInlineOrForeign) {
  for (const char* path : {"/", "/web/page.js", "/web/icon.svg"}) {
    const std::string policy = Header(Get(path), "Content-Security-Policy");
    EXPECT_THAT(policy, testing::StartsWith("default-src 'none'; ")) << path;
    EXPECT_THAT(policy, Not(HasSubstr("unsafe"))) << path;
    EXPECT_THAT(policy, Not(HasSubstr("http"))) << path;
  }
  EXPECT_THAT(Body(Get("/")), Not(HasSubstr("://")));
  EXPECT_THAT(Body(Get("/")), Not(HasSubstr("style=")));
}

TEST_F(ServiceTest, AssetsHaveTheirTypes) {
  EXPECT_EQ(Get("/web/page.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(Get("/web/page.css").content_type, "text/css; charset=utf-8");
  EXPECT_EQ(Get("/web/icon.svg").content_type, "image/svg+xml");
  EXPECT_EQ(Get("/web/dygraph-licence.txt").content_type,
            "text/plain; charset=utf-8");
  EXPECT_THAT(Body(Get("/web/dygraph.js")), HasSubstr("Dygraph"));
  EXPECT_THAT(Body(Get("/web/dygraph-licence.txt")),
              HasSubstr("Permission is hereby granted"));
}

TEST_F(ServiceTest, AssetsCompressedOnRequest) {
  const HttpResponse plain = Get("/web/dygraph.js", "identity");
  const HttpResponse gzip = Get("/web/dygraph.js", "gzip");
  EXPECT_EQ(Header(plain, "Content-Encoding"), "");
  EXPECT_EQ(Header(gzip, "Content-Encoding"), "gzip");
  EXPECT_EQ(Header(plain, "Vary"), "Accept-Encoding");
  EXPECT_LT(Body(gzip).size(), Body(plain).size() / 2);
}

// What the page and its modules name is there.
TEST_F(ServiceTest, AssetsAreComplete) {
  const std::string page = Body(Get("/"));
  for (const std::string& path : Found(page, "web/[a-z.-]+"))
    EXPECT_EQ(Get("/" + path).status, 200) << path;
  for (const std::string& path : Found(page, "web/[a-z]+\\.js"))
    for (const std::string& name :
         Found(Body(Get("/" + path)), "'\\./[a-z]+\\.js'"))
      EXPECT_EQ(Get("/web/" + name.substr(3, name.size() - 4)).status, 200)
          << name;
}

TEST_F(ServiceTest, OnlyAssetsAreAssets) {
  for (const char* path : {"/web/", "/web", "/web/index.html", "/web/x.js",
                           "/web/../page.js", "/web/page.js/"})
    EXPECT_EQ(Get(path).status, 404) << path;
  EXPECT_EQ(Get("/web/page.js", "", "", "POST").status, 405);
}

class ExplainTest : public testing::Test {
 protected:
  ExplainTest()
      : explanations_([this](const Explanations::Request& request,
                             const Explainer::IsEnded&) {
          const Selector& selector = request.selector;
          selected_ = selector.text() + (selector.by_pid()      ? " pid"
                                         : selector.by_cgroup() ? " cgroup"
                                         : selector.by_comm()   ? " comm"
                                                                : "all");
          time_ = request.time;
          with_labels_ = request.with_labels;
          return answer_;
        }) {
    settings_.explanations = &explanations_;
    Explanation explanation;
    explanation.by_module = explanation.is_exact = explanation.has_stall = true;
    explanation.samples = 3;
    explanation.effective_samples = 4;
    explanation.notes = {"a note"};
    explanation.all.faults[ProfileClass(0, 0)] = 30;
    explanation.all.faults[ProfileClass(1, 0)] = 3;
    NamedSum sum;
    sum.sum = explanation.all;
    sum.name = std::string("grow\0main", 9);
    explanation.paths = {sum, sum};
    sum.name = "[heap]";
    explanation.mappings = {sum};
    answer_ = explanation;
  }

  HttpResponse Get(std::string_view query, bool is_local = true,
                   std::string_view path = "/api/v1/explain") {
    FakeSource source;
    source.Then(Of({}));
    Pipeline pipeline(&source, PipelineSettings());
    Poller poller(&pipeline, std::chrono::hours(1), [](const auto&) {});
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.query = query;
    request.is_local = is_local;
    request.header = [this](const char* name) { return headers_[name]; };
    return Service(&poller, settings_).Answer(request);
  }

  ServiceSettings settings_;
  std::map<std::string, std::string> headers_;
  Result<Explanation> answer_ = Explanation();
  std::string selected_;
  std::chrono::seconds time_{0};
  bool with_labels_ = false;
  Explanations explanations_;
};

TEST_F(ExplainTest, AnswersWithTheSums) {
  const HttpResponse response = Get("comm=java&seconds=3&limit=1");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(selected_, "java comm");
  EXPECT_EQ(time_, std::chrono::seconds(3));
  EXPECT_EQ(
      Body(response),
      R"({"exact":true,"faults":33.0,"functions":[],"lost":0,"major":3.0,)"
      R"("mappings":[{"faults":33.0,"major":3.0,"name":"[heap]","samples":0,)"
      R"("stall_seconds":0.0}],)"
      R"("not_sampled":{"faults":0.0,"major":0.0,"stall_seconds":0.0},)"
      R"("notes":["a note"],"samples":3,"seconds":0.0,"share_error":0.49,)"
      R"("source":"module",)"
      R"("stacks":[{"faults":33.0,"frames":["grow","main"],"major":3.0,)"
      R"("samples":0,"stall_seconds":0.0}],"stall_seconds":0.0})"
      "\n");
}

TEST_F(ExplainTest, SelectsByCommPidOrCgroup) {
  Get("pid=42");
  EXPECT_EQ(selected_, "42 pid");
  EXPECT_EQ(time_, std::chrono::seconds(10));
  Get("comm=42");
  EXPECT_EQ(selected_, "42 comm");
  Get("cgroup=%2Fsystem.slice");
  EXPECT_EQ(selected_, "/system.slice cgroup");
}

TEST_F(ExplainTest, RefusesWhatIsWrong) {
  for (const auto& [query, why] :
       {std::pair("", "comm, pid or cgroup says whose faults"),
        {"seconds=1", "comm, pid or cgroup says whose faults"},
        {"pid=1&comm=x", "comm, pid and cgroup exclude each other"},
        {"comm=", "comm is empty"},
        {"pid=x", "pid is a number"},
        {"pid=-1", "pid is a number"},
        {"cgroup=x", "cgroup is a path that begins with /"},
        {"pid=1&seconds=0", "seconds is a number from 1 to 60"},
        {"pid=1&seconds=61", "seconds is a number from 1 to 60"},
        {"pid=1&seconds=", "seconds is a number from 1 to 60"},
        {"pid=1&limit=0", "limit is a number from 1 to 10000"},
        {"pid=1&what=1", "what is not known"}}) {
    const HttpResponse response = Get(query);
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_THAT(Body(response), HasSubstr(why)) << query;
  }
  EXPECT_EQ(selected_, "");
}

TEST_F(ExplainTest, SaysWhatPrevents) {
  answer_ = Error{Cause::kNoPermission, "it takes root"};
  const HttpResponse response = Get("pid=1");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(Body(response), "{\"error\":\"it takes root\"}\n");
  EXPECT_EQ(Header(response, "Retry-After"), "10");
}

TEST_F(ExplainTest, AnswersThisMachineAloneUnlessItIsTold) {
  EXPECT_EQ(Get("pid=1", false).status, 403);
  EXPECT_EQ(selected_, "");
  settings_.explains_remote = true;
  EXPECT_EQ(Get("pid=1", false).status, 200);
  headers_["Host"] = "node7:9110";
  EXPECT_EQ(Get("pid=1", false).status, 200);
  settings_.explanations = nullptr;
  const HttpResponse response = Get("pid=1");
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(Body(response), HasSubstr("--profile"));
}

TEST_F(ExplainTest, WithoutASampleNoShareHasAnError) {
  answer_ = Explanation();
  EXPECT_THAT(Body(Get("pid=1")), Not(HasSubstr("share_error")));
}

TEST_F(ExplainTest, TheStatusSaysWhetherItExplains) {
  EXPECT_THAT(Body(Get("", true, "/api/v1/status")),
              HasSubstr(R"("has_explain":true)"));
  settings_.explanations = nullptr;
  EXPECT_THAT(Body(Get("", true, "/api/v1/status")),
              HasSubstr(R"("has_explain":false)"));
}

TEST_F(ExplainTest, GivesAProfileForPprof) {
  const char* const kPath = "/debug/pprof/page_faults";
  const HttpResponse response = Get("seconds=5", true, kPath);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(selected_, "all");
  EXPECT_EQ(time_, std::chrono::seconds(5));
  EXPECT_TRUE(with_labels_);
  EXPECT_EQ(response.content_type, "application/octet-stream");
  EXPECT_EQ(Body(response).substr(0, 2), "\x1f\x8b") << "gzip";
  Get("comm=java", true, kPath);
  EXPECT_EQ(selected_, "java comm");
  EXPECT_EQ(Get("limit=5", true, kPath).status, 400);
  EXPECT_EQ(Get("seconds=61", true, kPath).status, 400);
  EXPECT_EQ(Get("seconds=1", false, kPath).status, 403);
  answer_ = Error{Cause::kNoPermission, "it takes root"};
  EXPECT_EQ(Get("seconds=1", true, kPath).status, 503);
  EXPECT_EQ(Body(Get("seconds=1", true, kPath)), "it takes root\n");
}

TEST_F(ExplainTest, IsNotForPagesOfOtherSites) {
  for (const char* host : {"", "localhost", "localhost:9110", "127.0.0.1:9110",
                           "127.1.2.3", "[::1]", "[::1]:9110"}) {
    headers_["Host"] = host;
    EXPECT_EQ(Get("pid=1").status, 200) << host;
  }
  for (const char* host : {"evil.example:9110", "127.0.0.1.evil.example",
                           "[fe80::1]:9110", "10.0.0.1", "[", ":"}) {
    headers_["Host"] = host;
    EXPECT_EQ(Get("pid=1").status, 403) << host;
  }
  headers_["Host"] = "localhost:9110";
  for (const char* name : {"Forwarded", "Via", "X-Forwarded-For"}) {
    headers_[name] = "203.0.113.9";
    EXPECT_EQ(Get("pid=1").status, 403) << name;
    headers_.erase(name);
  }
  for (const char* site : {"same-origin", "none"}) {
    headers_["Sec-Fetch-Site"] = site;
    EXPECT_EQ(Get("pid=1").status, 200) << site;
  }
  for (const char* site : {"cross-site", "same-site"}) {
    headers_["Sec-Fetch-Site"] = site;
    EXPECT_EQ(Get("pid=1").status, 403) << site;
  }
}

}  // namespace
}  // namespace pfe
