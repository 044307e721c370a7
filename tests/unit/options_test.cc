// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pfe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Parsed {
  std::optional<Options> options;
  int exit_code = -1;
  std::string out;
  std::string err;
};

Parsed Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "page_fault_exporter");
  Parsed parsed;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  parsed.options = ParseOptions(static_cast<int>(arguments.size()),
                                arguments.data(), &parsed.exit_code);
  parsed.out = testing::internal::GetCapturedStdout();
  parsed.err = testing::internal::GetCapturedStderr();
  return parsed;
}

TEST(ParseOptions, Defaults) {
  const Parsed parsed = Parse({});
  ASSERT_TRUE(parsed.options);
  EXPECT_EQ(parsed.options->interval, std::chrono::seconds(5));
  EXPECT_THAT(parsed.options->listen_addresses, ElementsAre(":9110"));
  EXPECT_EQ(parsed.options->telemetry_path, "/metrics");
  EXPECT_EQ(parsed.options->debugfs, "/sys/kernel/debug");
}

TEST(ParseOptions, Flags) {
  const Parsed parsed = Parse({"--interval=250ms", "--path.debugfs", "/x",
                               "--web.listen-address=127.0.0.1:1",
                               "--web.listen-address=:2"});
  ASSERT_TRUE(parsed.options) << parsed.err;
  EXPECT_EQ(parsed.options->interval, std::chrono::milliseconds(250));
  EXPECT_EQ(parsed.options->debugfs, "/x");
  EXPECT_THAT(parsed.options->listen_addresses,
              ElementsAre("127.0.0.1:1", ":2"));
}

TEST(ParseOptions, HelpAndVersionEndWell) {
  EXPECT_EQ(Parse({"--help"}).exit_code, 0);
  EXPECT_THAT(Parse({"--help"}).out, HasSubstr("--web.listen-address"));
  EXPECT_THAT(Parse({"--version"}).out, HasSubstr("page_fault_exporter 0"));
}

TEST(ParseOptions, BadValuesNameTheFlagAndTheValue) {
  const std::vector<std::vector<const char*>> cases = {
      {"--interval", "5"},
      {"--interval", "5x"},
      {"--interval", "1ms"},
      {"--interval", "2h"},
      {"--interval", "-5s"},
      {"--web.listen-address", "9110"},
      {"--web.listen-address", "example.org:9110"},
      {"--web.listen-address", ":99999"},
      {"--web.listen-address", ":9110s"},
      {"--web.telemetry-path", "metrics"},
      {"--web.telemetry-path", "/"},
      {"--web.telemetry-path", "/-/ready"},
      {"--log.level", "loud"},
      {"--log.format", "xml"},
  };
  for (const auto& arguments : cases) {
    const Parsed parsed = Parse(arguments);
    EXPECT_FALSE(parsed.options) << arguments[1];
    EXPECT_EQ(parsed.exit_code, 2);
    EXPECT_THAT(parsed.err, HasSubstr(arguments[0]));
    EXPECT_THAT(parsed.err, HasSubstr(arguments[1]));
  }
}

TEST(ParseOptions, UnknownFlag) {
  const Parsed parsed = Parse({"--no-such-flag"});
  EXPECT_EQ(parsed.exit_code, 2);
  EXPECT_THAT(parsed.err, HasSubstr("--no-such-flag"));
}

TEST(ParseOptions, TlsIsRefusedWithAHint) {
  EXPECT_THAT(Parse({"--web.listen-address", ":443s"}).err,
              HasSubstr("deploy/tls"));
}

TEST(ParseDuration, Units) {
  using std::chrono::milliseconds;
  EXPECT_EQ(ParseDuration("1500ms"), milliseconds(1500));
  EXPECT_EQ(ParseDuration("2m"), milliseconds(120000));
  EXPECT_EQ(ParseDuration("1h"), milliseconds(3600000));
  for (const char* bad : {"", "s", "1", "1.5s", "1 s", "1d", "1ss", "99999999999999s"})
    EXPECT_FALSE(ParseDuration(bad)) << bad;
}

}  // namespace
}  // namespace pfe
