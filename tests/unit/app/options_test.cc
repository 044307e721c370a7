// SPDX-License-Identifier: Apache-2.0
#include "app/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

#include "http/listen_address.h"

namespace pfe {
namespace {

using testing::Conditional;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

ParsedOptions Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "page_fault_exporter");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  ParsedOptions parsed =
      ParseOptions(static_cast<int>(arguments.size()), arguments.data());
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  return parsed;
}

TEST(ParseOptions, Defaults) {
  const ParsedOptions parsed = Parse({});
  ASSERT_TRUE(parsed.options);
  EXPECT_EQ(parsed.options->interval, std::chrono::seconds(5));
  EXPECT_THAT(parsed.options->listen_addresses, ElementsAre(":9110"));
  EXPECT_EQ(parsed.options->telemetry_path, "/metrics");
  EXPECT_EQ(parsed.options->debugfs, "/sys/kernel/debug");
  EXPECT_EQ(parsed.options->pipeline.pod_logs, "/var/log");
  EXPECT_EQ(parsed.options->pipeline.birth_hold, std::chrono::seconds(60));
}

TEST(ParseOptions, Flags) {
  const ParsedOptions parsed =
      Parse({"--interval=250ms", "--path.debugfs", "/x", "--path.pod-logs=/l",
             "--web.listen-address=127.0.0.1:1", "--web.listen-address=:2"});
  ASSERT_TRUE(parsed.options) << parsed.error;
  EXPECT_EQ(parsed.options->interval, std::chrono::milliseconds(250));
  EXPECT_EQ(parsed.options->debugfs, "/x");
  EXPECT_EQ(parsed.options->pipeline.pod_logs, "/l");
  EXPECT_THAT(parsed.options->listen_addresses,
              ElementsAre("127.0.0.1:1", ":2"));
}

TEST(ParseOptions, TheLastOneWins) {
  EXPECT_EQ(Parse({"--interval=1s", "--interval=2s"}).options->interval,
            std::chrono::seconds(2));
}

TEST(ParseOptions, HelpAndVersionAreTexts) {
  EXPECT_FALSE(Parse({"--help"}).options);
  EXPECT_EQ(Parse({"--help"}).error, "");
  EXPECT_THAT(Parse({"--help"}).text, HasSubstr("--web.listen-address"));
  EXPECT_THAT(Parse({"--version"}).text, HasSubstr("page_fault_exporter 0"));
}

// Civetweb of Debian 12 has no IPv6, that of Debian 13 has it.
TEST(ParseOptions, ABuildWithoutIpv6SaysSo) {
  const auto says = HasSubstr("every address of IPv4: this build has no IPv6");
  EXPECT_THAT(Parse({"--help"}).text, Conditional(HasIpv6(), Not(says), says));
  const ParsedOptions parsed = Parse({"--web.listen-address=[::1]:1"});
  EXPECT_EQ(parsed.options.has_value(), HasIpv6()) << parsed.error;
  const auto refuses = HasSubstr(
      "this build of civetweb has no IPv6: use an IPv4 address or :PORT");
  EXPECT_THAT(parsed.error, Conditional(HasIpv6(), std::string(), refuses));
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
      {"--web.telemetry-path", "/a?b"},
      {"--web.telemetry-path", "/a#b"},
      {"--web.telemetry-path", "/a%20b"},
      {"--web.telemetry-path", "/a b"},
      {"--web.telemetry-path", "/a\nb"},
      {"--web.telemetry-path", "/a\x7f"},
      {"--web.telemetry-path", "/\u00e9"},
      {"--web.telemetry-path", "/a\"b"},
      {"--web.telemetry-path", "/a\\b"},
      {"--web.telemetry-path", "//metrics"},
      {"--web.telemetry-path", "/a/../b"},
      {"--web.telemetry-path", "/a/."},
      {"--web.telemetry-path", "/a//b"},
      {"--log.level", "loud"},
      {"--log.format", "xml"},
      {"--profile.stacks", "lbr"},
      {"--source", "guess"},
      {"--processes.max", "0"},
      {"--processes.max", "010"},
      {"--processes.max", "0x10"},
      {"--processes.max", " 10"},
      {"--processes.max", "10 "},
      {"--processes.max", "+10"},
      {"--processes.max", "1e3"},
      {"--processes.max", ""},
      {"--processes.max", "99999999999999999999"},
      {"--processes.min-faults", "00"},
      {"--processes.breakdown", "0b1"},
      {"--comms.max", "1'000"},
      {"--cgroups.max", "0o7"},
      {"--groups.max", "07"},
      {"--web.max-requests", "0x1"},
      {"--processes.include", "a("},
      {"--processes.min-faults", "-1"},
      {"--comms.max", "x"},
      {"--birth.hold", "2h"},
      {"--birth.hold", "60"},
      {"--web.max-requests", "-1"},
      {"--web.max-requests", "73"},
      {"--group.by", "cmdline"},
      {"--group.by", "pid"},
      {"--top", "x"},
      {"--top", "007"},
      {"--top", " 7"},
      {"--top", "1000000"},
      {"--top", "\xb2"},  // a digit in some character sets
      {"--top.by", "pid"},
      {"--top.filter", "a("},
  };
  for (const auto& arguments : cases) {
    const ParsedOptions parsed = Parse(arguments);
    EXPECT_FALSE(parsed.options) << arguments[1];
    EXPECT_THAT(parsed.error, HasSubstr(arguments[0]));
    EXPECT_THAT(parsed.error, HasSubstr(arguments[1]));
  }
}

TEST(ParseOptions, ATelemetryPathIsAsRequestsNameIt) {
  for (const char* path : {"/metrics", "/metrics/", "/a/b", "/...", "/a..b",
                           "/-a", "/apis", "/A-Z0.9_~!$&'()*+,;=:@"})
    EXPECT_EQ(Parse({"--web.telemetry-path", path}).options->telemetry_path,
              path);
}

TEST(ParseOptions, NumbersAreDecimal) {
  EXPECT_EQ(
      Parse({"--processes.max=0x10"}).error,
      "--processes.max: \"0x10\" is no decimal number (such as 40, without "
      "leading zeros)");
  EXPECT_EQ(Parse({"--top=010"}).error,
            "--top: \"010\" is no number of rows (such as 40, without leading "
            "zeros)");
  EXPECT_EQ(Parse({"--cgroups.max=0"}).options->pipeline.max_cgroups, 0u);
  EXPECT_EQ(Parse({"--processes.max=10"}).options->pipeline.selection.max, 10u);
  EXPECT_EQ(Parse({"--top=0"}).options->top_table.rows, 0u);
}

TEST(ParseOptions, Top) {
  EXPECT_FALSE(Parse({}).options->top);
  EXPECT_EQ(Parse({"--top"}).options->top_table.rows, 20u);
  const ParsedOptions parsed =
      Parse({"--top=3", "--top.by=cgroup", "--top.filter=shop"});
  ASSERT_TRUE(parsed.options) << parsed.error;
  EXPECT_TRUE(parsed.options->top);
  EXPECT_EQ(parsed.options->top_table.rows, 3u);
  EXPECT_EQ(parsed.options->top_table.by, TopBy::kCgroup);
  EXPECT_EQ(parsed.options->top_table.filter, "shop");
}

TEST(ParseOptions, TopTakesWhatThereIs) {
  EXPECT_EQ(Parse({"--top", "--top.by=group"}).error,
            "--top.by: group needs group rules (--group.by, or groups in the "
            "file) and cannot be combined with --basic-families-only");
  EXPECT_EQ(Parse({"--top", "--top.by=cgroup", "--cgroups.max=0"}).error,
            "--top.by: cgroup needs sums by control group: --cgroups.max is 0, "
            "or --basic-families-only is set");
  EXPECT_TRUE(Parse({"--top", "--top.by=group", "--group.by=exe"}).options);
  EXPECT_TRUE(Parse({"--top.by=group"}).options) << "not --top";
  setenv("PAGE_FAULT_EXPORTER_TOP_BY", "group", 1);
  const std::string error = Parse({"--top"}).error;
  unsetenv("PAGE_FAULT_EXPORTER_TOP_BY");
  EXPECT_THAT(error, HasSubstr("PAGE_FAULT_EXPORTER_TOP_BY: --top.by: group"));
}

// Each way to set the option, by its new name and by its old one.
TEST(ParseOptions, BasicFamiliesOnlyHasAnOldName) {
  const auto set = [](const ParsedOptions& parsed) {
    return parsed.options && parsed.options->pipeline.basic_families_only;
  };
  const std::string path = testing::TempDir() + "pfe_old_name.json";
  EXPECT_FALSE(set(Parse({})));
  EXPECT_TRUE(set(Parse({"--basic-families-only"})));
  EXPECT_TRUE(set(Parse({"--mandated-only"})));
  for (const char* name : {"BASIC_FAMILIES_ONLY", "MANDATED_ONLY"}) {
    const std::string variable = std::string("PAGE_FAULT_EXPORTER_") + name;
    setenv(variable.c_str(), "true", 1);
    EXPECT_TRUE(set(Parse({}))) << variable;
    EXPECT_FALSE(set(Parse({"--basic-families-only=false"}))) << variable;
    EXPECT_FALSE(set(Parse({"--mandated-only=false"}))) << variable;
    unsetenv(variable.c_str());
  }
  for (const char* key : {"basic-families-only", "mandated-only"}) {
    std::ofstream(path) << "{\"" << key << "\": true}";
    EXPECT_TRUE(set(Parse({"--config.file", path.c_str()}))) << key;
    EXPECT_FALSE(
        set(Parse({"--mandated-only=false", "--config.file", path.c_str()})))
        << key;
  }
  unlink(path.c_str());
}

TEST(ParseOptions, TheBasicFamiliesNeedNoOtherSums) {
  const ParsedOptions basic =
      Parse({"--basic-families-only", "--group.by=comm"});
  EXPECT_EQ(basic.options->pipeline.max_cgroups, 0u);
  EXPECT_TRUE(basic.options->pipeline.groups.empty());
  EXPECT_GT(Parse({}).options->pipeline.max_cgroups, 0u);
}

TEST(ParseOptions, UnknownFlag) {
  EXPECT_EQ(Parse({"--no-such-flag"}).error, "--no-such-flag: is no option");
  EXPECT_EQ(Parse({"--intervall", "5s", "--once"}).error,
            "--intervall: is no option");
  EXPECT_EQ(Parse({"metrics"}).error, "metrics: is no option");
}

TEST(ParseOptions, TlsIsRefusedWithAHint) {
  EXPECT_THAT(Parse({"--web.listen-address", ":443s"}).error,
              HasSubstr("deploy/tls"));
}

class ConfigFile : public testing::Test {
 protected:
  ConfigFile() : path_(testing::TempDir() + "pfe_config.json") {}
  ~ConfigFile() override {
    unlink(path_.c_str());
    unsetenv("PAGE_FAULT_EXPORTER_INTERVAL");
  }
  ParsedOptions ParseWith(const std::string& text,
                          std::vector<const char*> arguments = {}) {
    std::ofstream(path_) << text;
    arguments.push_back("--config.file");
    arguments.push_back(path_.c_str());
    return Parse(arguments);
  }
  // Pairs of a file and a part of what the daemon says of it.
  void ExpectNamed(
      const std::vector<std::pair<const char*, const char*>>& cases) {
    for (const auto& [text, wrong] : cases) {
      const ParsedOptions parsed = ParseWith(text);
      EXPECT_FALSE(parsed.options) << text;
      EXPECT_THAT(parsed.error, HasSubstr(path_)) << text;
      EXPECT_THAT(parsed.error, HasSubstr(wrong)) << text;
    }
  }
  const std::string path_;
};

TEST_F(ConfigFile, GivesOptions) {
  const ParsedOptions parsed = ParseWith(
      R"({"interval": "1s", "processes.max": 7, "no-pid": true,
          "birth.hold": "0s",
          "web.listen-address": ["127.0.0.1:1", ":2"]})");
  ASSERT_TRUE(parsed.options) << parsed.error;
  EXPECT_EQ(parsed.options->interval, std::chrono::seconds(1));
  EXPECT_EQ(parsed.options->pipeline.birth_hold, std::chrono::seconds(0));
  EXPECT_EQ(parsed.options->pipeline.selection.max, 7u);
  EXPECT_TRUE(parsed.options->pipeline.selection.no_pid);
  EXPECT_THAT(parsed.options->listen_addresses,
              ElementsAre("127.0.0.1:1", ":2"));
}

TEST_F(ConfigFile, HasRulesOfGroups) {
  const ParsedOptions parsed = ParseWith(
      R"J({"groups": [
           {"name": "java:{{cmdline.1}}", "comm": "java",
            "cmdline": "-jar (\\S+)"},
           {"name": "{{user}}", "unit": "user@.*"}]})J");
  ASSERT_TRUE(parsed.options) << parsed.error;
  const std::vector<GroupRule>& rules = parsed.options->pipeline.groups;
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].name, "java:{{cmdline.1}}");
  EXPECT_EQ(rules[0].expressions[Field::kComm], "java");
  EXPECT_EQ(rules[0].expressions[Field::kCmdline], "-jar (\\S+)");
  EXPECT_EQ(rules[1].expressions[Field::kUnit], "user@.*");
  EXPECT_EQ(rules[1].expressions[Field::kComm], "");
}

// Wherever --group.by is set.
TEST_F(ConfigFile, RulesAndGroupByExcludeEachOther) {
  const std::string file = R"({"groups": [{"name": "a"}]})";
  EXPECT_TRUE(ParseWith(file).options);
  const std::string wrong = "--group.by: excludes the list groups";
  EXPECT_THAT(ParseWith(file, {"--group.by=exe"}).error, HasSubstr(wrong));
  EXPECT_THAT(
      ParseWith(R"({"groups": [{"name": "a"}], "group.by": "exe"})").error,
      HasSubstr(wrong));
  setenv("PAGE_FAULT_EXPORTER_GROUP_BY", "exe", 1);
  const ParsedOptions both = ParseWith(file);
  const ParsedOptions one = Parse({});
  unsetenv("PAGE_FAULT_EXPORTER_GROUP_BY");
  EXPECT_THAT(both.error, HasSubstr("PAGE_FAULT_EXPORTER_GROUP_BY: " + wrong));
  EXPECT_EQ(one.options->pipeline.groups,
            std::vector<GroupRule>{GroupBy(Field::kExe)});
  EXPECT_TRUE(Parse({}).options->pipeline.groups.empty());
}

TEST_F(ConfigFile, AFlagWinsOverTheEnvironmentAndThatOverTheFile) {
  const std::string file = R"({"interval": "1s"})";
  EXPECT_EQ(ParseWith(file).options->interval, std::chrono::seconds(1));
  setenv("PAGE_FAULT_EXPORTER_INTERVAL", "2s", 1);
  EXPECT_EQ(ParseWith(file).options->interval, std::chrono::seconds(2));
  EXPECT_EQ(ParseWith(file, {"--interval=3s"}).options->interval,
            std::chrono::seconds(3));
}

TEST_F(ConfigFile, MistakesAreNamed) {
  ExpectNamed({
      {"", "parse error"},
      {"{", "parse error"},
      {"[]", "JSON object"},
      {R"({"nonsense": 1})", "nonsense"},
      {R"({"interval": "1x"})", "1x"},
      {R"({"interval": {}})", "interval"},
      {R"({"interval": null})", "interval: null is no string or number"},
      {R"({"processes.include": true})",
       "processes.include: true is no string or number"},
      {R"({"web.listen-address": [":1", false]})",
       "web.listen-address: false is no string or number"},
      {R"({"processes.max": 1e3})", "is no decimal number"},
      {R"({"processes.max": "0x10"})", "is no decimal number"},
      {R"({"path.procfs": "/proc\u0000/x"})", "path.procfs: has a NUL"},
      {R"({"web.listen-address": [":1", ":2\u0000"]})",
       "web.listen-address: has a NUL"},
      {R"({"processes.max": -1})", "processes.max"},
      {R"({"processes.include": "("})", "processes.include"},
      {R"({"source": "guess"})", "guess"},
      {R"({"interval": []})", "interval"},
      {R"({"no-pid": []})", "no-pid"},
      {R"({"web.listen-address": ","})", "is an empty list"},
      {R"({"once": true})", "once"},
      {R"({"config.file": "x"})", "config.file"},
      {R"({"no-pid": true, "no-pid": false})", "\"no-pid\" is there twice"},
      {R"({"interval": ["5s", "10s"]})", "interval: takes one value, not a"},
      {R"({"no-pid": 5})", "no-pid: 5 is not true or false"},
      {R"({"no-pid": "yes"})", "no-pid: \"yes\" is not true or false"},
      {R"({"web.listen-address": [[":1"]]})",
       "web.listen-address: [\":1\"] is"},
      {R"({"basic-families-only": false, "mandated-only": true})",
       "mandated-only: is another name of basic-families-only"},
  });
  EXPECT_THAT(Parse({"--config.file", "/"}).error,
              HasSubstr("/ is a directory"));
  EXPECT_THAT(Parse({"--config.file", "/nonexistent"}).error,
              HasSubstr("/nonexistent"));
  EXPECT_THAT(Parse({"--config.file", "/dev/null"}).error,
              HasSubstr("/dev/null is no regular file"));
}

TEST_F(ConfigFile, MistakesInRulesOfGroupsAreNamed) {
  ExpectNamed({
      {"{\n  \"groups\": [{]\n}", "line 2, column 15"},
      {R"({"groups": {}})", "groups: is no list of rules"},
      {R"({"groups": []})", "groups: is an empty list"},
      {R"({"groups": ["a"]})", "groups: rule 1: is no JSON object"},
      {R"({"groups": [{"name": "a", "cmd": "b"}]})",
       "groups: rule 1 (\"a\"): cmd: is no field of a rule"},
      {R"({"groups": [{"name": "a"}, {"comm": ["b"], "name": "c"}]})",
       "groups: rule 2 (\"c\"): comm: is no string; alternatives have"},
      {R"({"groups": [{"name": "a\u0000"}]})",
       "groups: rule 1 (\"a?\"): name: has a NUL"},
      {R"({"groups": [{"name": "a", "comm": "\u0000"}]})",
       "groups: rule 1 (\"a\"): comm: has a NUL"},
      {R"({"groups": [{"name": 1}]})", "groups: rule 1: name: is no string"},
      {R"({"groups": [{"name": "a", "comm": ""}]})",
       "groups: rule 1 (\"a\"): comm: is an empty expression"},
      {R"({"groups": [{"comm": "b"}]})", "groups: rule 1: name: is missing"},
      {R"({"groups": [{"name": "a", "comm": "b("}]})",
       "groups: rule 1 (\"a\"): comm: \"b(\" is no RE2 expression"},
      {R"({"groups": [{"name": "a", "comm": "b", "comm": "c"}]})",
       "\"comm\" is there twice"},
      {R"({"groups": [{"name": "a\u0000b", "cmd": "b"}]})",
       "groups: rule 1 (\"a?b\"): cmd: is no field"},
      // Which of the two it is, RE2 does not say.
      {R"({"groups": [{"name": "a", "comm": "[**]a**"}]})",
       "is no RE2 expression: bad repetition operator"},
  });
}

TEST_F(ConfigFile, AMistakeCanHaveAnyText) {
  const std::string deep(100000, '[');
  EXPECT_THAT(ParseWith("{\"interval\": " + deep).error,
              HasSubstr("nested more than 8 levels deep"));
  const std::string wrong =
      ParseWith("{\"interval\": {\"" + std::string(100000, 'x') + "\": 1}}")
          .error;
  EXPECT_LT(wrong.size(), 500u) << wrong;
  // The error is about the file, whatever the file says.
  setenv("PAGE_FAULT_EXPORTER_INTERVAL", "2s", 1);
  EXPECT_THAT(
      ParseWith(R"({"groups": [{"name": "a", "comm": "--interval("}]})").error,
      StartsWith("--config.file: "));
}

TEST(Environment, AListHasCommas) {
  constexpr const char* kVariable = "PAGE_FAULT_EXPORTER_WEB_LISTEN_ADDRESS";
  setenv(kVariable, "127.0.0.1:1,:2", 1);
  const ParsedOptions list = Parse({});
  setenv(kVariable, "127.0.0.1:1,2", 1);
  const ParsedOptions bad = Parse({});
  setenv(kVariable, ",", 1);
  const ParsedOptions empty = Parse({});
  unsetenv(kVariable);
  EXPECT_THAT(empty.error, HasSubstr("is an empty list"));
  ASSERT_TRUE(list.options) << list.error;
  EXPECT_THAT(list.options->listen_addresses, ElementsAre("127.0.0.1:1", ":2"));
  EXPECT_THAT(bad.error, HasSubstr("\"2\""));
}

TEST(Environment, BadValuesAreNamed) {
  setenv("PAGE_FAULT_EXPORTER_SOURCE", "guess", 1);
  const ParsedOptions parsed = Parse({});
  unsetenv("PAGE_FAULT_EXPORTER_SOURCE");
  EXPECT_THAT(parsed.error, HasSubstr("guess"));
  EXPECT_THAT(parsed.error, HasSubstr("PAGE_FAULT_EXPORTER_SOURCE"));
}

TEST(ParseOptions, SumsOfMappingsTakeAProfile) {
  EXPECT_EQ(Parse({"--profile.mappings=10"}).error,
            "--profile.mappings: it takes --profile");
  EXPECT_TRUE(Parse({"--profile.mappings=0"}).options);
  const ParsedOptions parsed = Parse({"--profile", "--profile.mappings=10"});
  ASSERT_TRUE(parsed.options);
  EXPECT_EQ(parsed.options->profile_mappings, 10u);
}

// --top.by begins with the name of --top.
TEST(Environment, TheVariableOfTheWholeNameIsNamed) {
  setenv("PAGE_FAULT_EXPORTER_TOP", "5", 1);
  setenv("PAGE_FAULT_EXPORTER_TOP_BY", "pid", 1);
  const ParsedOptions by = Parse({});
  unsetenv("PAGE_FAULT_EXPORTER_TOP_BY");
  setenv("PAGE_FAULT_EXPORTER_TOP", "x", 1);
  const ParsedOptions top = Parse({"--top.by=comm"});
  const ParsedOptions flag = Parse({"--top=y"});
  unsetenv("PAGE_FAULT_EXPORTER_TOP");
  EXPECT_THAT(by.error, StartsWith("PAGE_FAULT_EXPORTER_TOP_BY: --top.by: "));
  EXPECT_THAT(top.error, StartsWith("PAGE_FAULT_EXPORTER_TOP: --top: "));
  EXPECT_THAT(flag.error, StartsWith("--top: \"y\""));
}

TEST(Environment, IsNotNamedForWhatAFlagSets) {
  setenv("PAGE_FAULT_EXPORTER_SOURCE", "procfs", 1);
  const ParsedOptions parsed = Parse({"--source=guess"});
  unsetenv("PAGE_FAULT_EXPORTER_SOURCE");
  EXPECT_THAT(parsed.error, Not(HasSubstr("PAGE_FAULT_EXPORTER_SOURCE")));
}

TEST(NeedRestart, NamesWhatCannotBeChanged) {
  const Options before = *Parse({}).options;
  EXPECT_TRUE(NeedRestart(before, before).empty());
  EXPECT_TRUE(NeedRestart(before, *Parse({"--interval=1s", "--no-pid"}).options)
                  .empty());
  EXPECT_THAT(
      NeedRestart(before, *Parse({"--source=procfs", "--path.pod-logs=/l",
                                  "--web.max-requests=1"})
                               .options),
      ElementsAre("source", "path.pod-logs", "web.max-requests"));
}

TEST(ParseDuration, Units) {
  using std::chrono::milliseconds;
  EXPECT_EQ(ParseDuration("1500ms"), milliseconds(1500));
  EXPECT_EQ(ParseDuration("2m"), milliseconds(120000));
  EXPECT_EQ(ParseDuration("1h"), milliseconds(3600000));
  for (const char* bad :
       {"", "s", "1", "1.5s", "1 s", "1d", "1ss", "99999999999999s"})
    EXPECT_FALSE(ParseDuration(bad)) << bad;
}

}  // namespace
}  // namespace pfe
