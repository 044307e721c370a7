// SPDX-License-Identifier: Apache-2.0
#include "service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "poller.h"

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

class ServiceTest : public testing::Test {
 protected:
  ServiceTest()
      : publication_(std::make_shared<Publication>()),
        service_([this] { return publication_; }, "/metrics",
                 std::chrono::seconds(15)) {
    publication_->source = "module";
    publication_->text = std::make_shared<std::string>("text\n");
    publication_->gzip = std::make_shared<std::string>("zip");
    publication_->read_at = Publication::Clock::now();
  }

  HttpResponse Get(std::string_view path, std::string_view encoding = "",
                   std::string_view method = "GET") const {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.header = [encoding](const char* name) {
      return std::string_view(name) == "Accept-Encoding" ? encoding
                                                         : std::string_view();
    };
    return service_.Answer(request);
  }

  std::shared_ptr<Publication> publication_;
  const Service service_;
};

TEST_F(ServiceTest, MetricsAreTheTicksTextAndOurOwn) {
  const HttpResponse response = Get("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type,
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(Body(response), testing::StartsWith("text\n"));
  EXPECT_THAT(Body(response),
              HasSubstr("page_fault_exporter_source{source=\"module\"} 1"));
  EXPECT_EQ(response.body[0], publication_->text) << "copied, not shared";
}

TEST_F(ServiceTest, MetricsCompressedOnRequest) {
  const HttpResponse response = Get("/metrics", "gzip");
  EXPECT_EQ(Header(response, "Content-Encoding"), "gzip");
  EXPECT_EQ(Header(response, "Vary"), "Accept-Encoding");
  EXPECT_EQ(response.body[0], publication_->gzip);
  EXPECT_EQ(Header(Get("/metrics", "gzip;q=0"), "Content-Encoding"), "");
}

TEST_F(ServiceTest, AFailedReadIsSaid) {
  publication_->error = Error{Cause::kNoModule, "no module"};
  const std::string body = Body(Get("/metrics"));
  EXPECT_THAT(body, HasSubstr("page_fault_exporter_source{source=\"module\"} 0"));
  EXPECT_THAT(body, HasSubstr("page_fault_exporter_last_read_success 0"));
  EXPECT_THAT(body,
              HasSubstr("page_fault_exporter_read_error{cause=\"no_module\"} 1"));
}

TEST_F(ServiceTest, PathsAreExact) {
  for (const char* path : {"/metricsXY", "/metrics/", "/metric", "/x", "//"})
    EXPECT_EQ(Get(path).status, 404) << path;
}

TEST_F(ServiceTest, OtherMethodsAreRefused) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "BREW"}) {
    const HttpResponse response = Get("/metrics", "", method);
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(Header(response, "Allow"), "GET, HEAD");
  }
}

TEST_F(ServiceTest, ReadyOnceThereIsAFreshSnapshot) {
  EXPECT_EQ(Get("/-/ready").status, 200);
  publication_->read_at = Publication::Clock::now() - std::chrono::minutes(1);
  publication_->error = Error{Cause::kNoModule, "the module is gone"};
  EXPECT_EQ(Get("/-/ready").status, 503);
  EXPECT_THAT(Body(Get("/-/ready")), HasSubstr("the module is gone"));
  publication_->read_at.reset();
  EXPECT_EQ(Get("/-/ready").status, 503);
  EXPECT_EQ(Get("/-/healthy").status, 200);
}

TEST_F(ServiceTest, LandingPageLinksMetricsAndEscapes) {
  publication_->error = Error{Cause::kMalformed, "<script>alert(1)</script>"};
  const HttpResponse response = Get("/");
  EXPECT_THAT(response.content_type, HasSubstr("text/html"));
  EXPECT_THAT(Body(response), HasSubstr("href=\"/metrics\""));
  EXPECT_THAT(Body(response), Not(HasSubstr("<script>alert")));
  EXPECT_NE(Header(response, "Content-Security-Policy"), "");
}

}  // namespace
}  // namespace pfe
