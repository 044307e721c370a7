// SPDX-License-Identifier: Apache-2.0
#include "group/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pfe {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

GroupRule Rule(const std::string& name,
               const std::vector<std::pair<Field, std::string>>& expressions) {
  GroupRule rule;
  rule.name = name;
  for (const auto& [field, expression] : expressions)
    rule.expressions[field] = expression;
  return rule;
}

ByField<std::string> Java() {
  ByField<std::string> process;
  process[Field::kComm] = "java";
  process[Field::kExe] = "/usr/lib/jvm/17/bin/java";
  process[Field::kCmdline] = "java -Xmx1g -jar /srv/shop.jar --port 80";
  process[Field::kUnit] = "shop.service";
  process[Field::kUser] = "shop";
  process[Field::kCgroup] = "/system.slice/shop.service";
  return process;
}

std::string NameOf(const std::vector<GroupRule>& rules,
                   const ByField<std::string>& process = Java()) {
  EXPECT_EQ(CheckGroupRules(rules), "");
  return GroupRules(rules).NameOf(process);
}

TEST(GroupRules, EachFieldIsMatchedInItsWay) {
  const struct {
    const char* expression;
    Field field;
    bool matches;
  } cases[] = {
      {"java", Field::kComm, true},
      {"jav", Field::kComm, false},
      {"jav.", Field::kComm, true},
      {"python|java", Field::kComm, true},
      {"java|python3.*", Field::kComm, true},
      // Without a slash it is the name without its directory.
      {"java", Field::kExe, true},
      {"jav", Field::kExe, false},
      {".*bin.java", Field::kExe, false},
      {"/usr/lib/jvm/.*/java", Field::kExe, true},
      {"/java", Field::kExe, false},
      {"/usr/lib/jvm", Field::kExe, false},
      {"shop", Field::kCmdline, true},
      {"^java .* --port 80$", Field::kCmdline, true},
      {"^shop", Field::kCmdline, false},
      {"shop.service", Field::kUnit, true},
      {"shop", Field::kUnit, false},
      {"shop|root", Field::kUser, true},
      {"sho", Field::kUser, false},
      {"system.slice/", Field::kCgroup, true},
      {"^system.slice/", Field::kCgroup, false},
  };
  for (const auto& [expression, field, matches] : cases)
    EXPECT_EQ(NameOf({Rule("yes", {{field, expression}})}),
              matches ? "yes" : "java")
        << expression;
}

TEST(GroupRules, TheNameIsATemplate) {
  const GroupRule rule = Rule(
      "{{comm}} {{exe}} {{unit}}/{{user}}:{{cmdline.1}}:{{cmdline.heap}}",
      {{Field::kCmdline, R"(-Xmx(?P<heap>\S+) -jar (?:\S*/)?(\S+)\.jar)"}});
  EXPECT_EQ(NameOf({rule}), "java java shop.service/shop:1g:1g");
  EXPECT_EQ(NameOf({Rule("{{cmdline.2}}", {{Field::kCmdline, "(a)(v)"}})}),
            "v");
  EXPECT_EQ(NameOf({Rule("{{cmdline.0}}", {{Field::kCmdline, "-jar \\S+"}})}),
            "-jar /srv/shop.jar");
  EXPECT_EQ(NameOf({Rule("{{exe.1}}", {{Field::kExe, "(/.*)"}})}),
            "/usr/lib/jvm/17/bin/java");
  EXPECT_EQ(NameOf({Rule("{{cgroup}}", {})}), "/system.slice/shop.service");
  EXPECT_EQ(NameOf({Rule("}} {a}", {})}), "}} {a}");
  // A capture that took no part in the match is empty.
  EXPECT_EQ(NameOf({Rule("x{{comm.1}}", {{Field::kComm, "(python)?.*"}})}),
            "x");
}

TEST(GroupRules, TheFirstThatMatchesWins) {
  const GroupRule jar = Rule("jar", {{Field::kCmdline, "-jar"}});
  const GroupRule java = Rule("jvm", {{Field::kComm, "java"}});
  EXPECT_EQ(NameOf({jar, java}), "jar");
  EXPECT_EQ(NameOf({java, jar}), "jvm");
  EXPECT_EQ(NameOf({Rule("sh", {{Field::kComm, "sh"}}), java}), "jvm");
  EXPECT_EQ(NameOf({}), "java");
}

TEST(GroupRules, AllExpressionsOfARuleMustMatch) {
  EXPECT_EQ(NameOf({Rule("a", {{Field::kComm, "java"},
                               {Field::kUser, "shop"},
                               {Field::kCmdline, "-jar"}})}),
            "a");
  EXPECT_EQ(NameOf({Rule("a", {{Field::kComm, "java"},
                               {Field::kUser, "root"},
                               {Field::kCmdline, "-jar"}})}),
            "java");
}

// What cannot be known of a process, because it has exited, decides nothing.
TEST(GroupRules, ARuleThatNeedsWhatIsNotKnownDoesNotMatch) {
  const std::vector<GroupRule> rules = {
      Rule("{{cmdline.1}}", {{Field::kCmdline, "-jar (\\S+)"}}),
      Rule("any", {{Field::kCmdline, ".*"}}),
      Rule("{{user}}", {}),
      Rule("some java", {{Field::kComm, "java"}}),
  };
  ByField<std::string> process = Java();
  EXPECT_EQ(NameOf(rules, process), "/srv/shop.jar");
  process[Field::kCmdline].clear();
  EXPECT_EQ(NameOf(rules, process), "shop");
  process[Field::kUser].clear();
  EXPECT_EQ(NameOf(rules, process), "some java");
  process[Field::kComm] = "sh";
  EXPECT_EQ(NameOf(rules, process), "sh");
}

TEST(GroupRules, ANameThatComesOutEmptyIsNoMatch) {
  EXPECT_EQ(NameOf({Rule("{{comm.1}}", {{Field::kComm, "(python)?.*"}}),
                    Rule("next", {})}),
            "next");
}

TEST(GroupRules, NeedsWhatExpressionsAndNamesUse) {
  const GroupRules rules({Rule("a", {{Field::kComm, "a"}}),
                          Rule("{{user}}", {{Field::kUnit, "b"}})});
  EXPECT_EQ(rules.needs(),
            Bit(Field::kComm) | Bit(Field::kUser) | Bit(Field::kUnit));
  EXPECT_EQ(GroupRules({}).needs(), 0u);
  EXPECT_EQ(GroupRules({GroupBy(Field::kExe)}).needs(), Bit(Field::kExe));
}

TEST(GroupRules, GroupByIsTheFieldItself) {
  EXPECT_EQ(NameOf({GroupBy(Field::kComm)}), "java");
  EXPECT_EQ(NameOf({GroupBy(Field::kExe)}), "java");
  EXPECT_EQ(NameOf({GroupBy(Field::kUnit)}), "shop.service");
  EXPECT_EQ(NameOf({GroupBy(Field::kUser)}), "shop");
  EXPECT_EQ(NameOf({GroupBy(Field::kCgroup)}), "/system.slice/shop.service");
}

TEST(GroupRules, NamesAreValidAndBounded) {
  ByField<std::string> process = Java();
  process[Field::kCmdline] = std::string(199, 'a') + "\u00e9";
  EXPECT_EQ(
      NameOf({Rule("{{cmdline.1}}", {{Field::kCmdline, "(.*)"}})}, process),
      std::string(199, 'a'));
  // \C is one byte.
  EXPECT_EQ(
      NameOf({Rule("{{cmdline.1}}", {{Field::kCmdline, "a(\\C)$"}})}, process),
      "java");
  EXPECT_EQ(NameOf({Rule("{{cmdline.1}}", {{Field::kCmdline, "a(\\C)\\C$"}})},
                   process),
            "\ufffd");
}

TEST(GroupRules, MistakesNameTheRuleTheFieldAndTheCharacter) {
  const struct {
    GroupRule rule;
    const char* wrong;
    int character;
  } cases[] = {
      {Rule(std::string(201, 'a'), {}), "more than 200 bytes", 201},
      {Rule("a", {{Field::kComm, std::string(1001, 'a')}}),
       "comm: the expression has more than 1000 bytes", 1001},
      {Rule("a", {{Field::kUser, "x{1001}"}}), "user: \"x{1001}\"", 2},
      {Rule("a", {{Field::kCgroup, "((a{100}){100}){100}"}}), "cgroup: ", 10},
      {Rule("{{pid}}", {}), "name: {{pid}} names no field; fields are comm", 1},
      {Rule("\u00e9 {{.Comm}}", {}), "{{.Comm}} names no field", 3},
      {Rule("{{user}}{{}}", {}), "{{}} names no field", 9},
      {Rule("{{comm.}}", {{Field::kComm, "(a)"}}), "{{comm.}} names no capture",
       1},
      {Rule("a{{comm", {}), "}} is missing after {{comm", 2},
      {Rule("{{comm}}{{cmdline}}", {{Field::kCmdline, "a"}}),
       "{{cmdline}} would show whole command lines", 9},
      {Rule("jar:{{cmdline.1}}", {{Field::kComm, "(a)"}}),
       "{{cmdline.1}} is a capture, and the rule has no expression for "
       "cmdline",
       5},
      {Rule("{{comm.1}}{{comm.2}}", {{Field::kComm, "(a)"}}),
       "{{comm.2}} is no capture of \"(a)\", which has 1", 11},
      {Rule("{{comm.x}}", {{Field::kComm, "(?P<y>a)"}}), "{{comm.x}} is no", 1},
      {Rule("{{comm.-1}}", {{Field::kComm, "(a)"}}), "{{comm.-1}} is no", 1},
      {Rule("{{comm.1x}}", {{Field::kComm, "(a)"}}), "{{comm.1x}} is no", 1},
      {Rule("{{comm.99999999999}}", {{Field::kComm, "(a)"}}), "is no capture",
       1},
  };
  const GroupRule good = Rule("good", {{Field::kComm, "a"}});
  for (const auto& [rule, wrong, character] : cases) {
    const std::string error = CheckGroupRules({good, rule, good});
    EXPECT_THAT(error, StartsWith("rule 2 (\"")) << wrong;
    EXPECT_THAT(error, HasSubstr(wrong));
    EXPECT_THAT(error, EndsWith(", at character " + std::to_string(character)));
  }
  EXPECT_EQ(CheckGroupRules({good, Rule("", {{Field::kComm, "a"}})}),
            "rule 2: name: is missing or empty");
  EXPECT_EQ(CheckGroupRules(std::vector<GroupRule>(200, good)), "");
  EXPECT_THAT(CheckGroupRules(std::vector<GroupRule>(201, good)),
              EndsWith("more than 200 rules"));
}

TEST(GroupRules, TheCharacterOfABadExpression) {
  // RE2 has no memory for it.
  const std::string large = "\\pL{1000}";
  const struct {
    std::string expression;
    const char* wrong;
    int character;
  } cases[] = {
      {"**", "no argument for repetition operator: *", 1},
      {"a|*", "no argument for repetition operator: *", 3},
      {"a*b**", "bad repetition operator: **", 4},
      {"b*[z-a]", "invalid character class range: z-a", 4},
      {"z-a[z-a]", "invalid character class range: z-a", 5},
      {"[[:foo:]]", "[:foo:]", 2},
      {"\\p{Foo}", "\\p{Foo}", 1},
      {"\u00e9\u00e9(?=x)", "(?=", 3},
      {"(?P<a>x)(?P<b-c>y)", "(?P<b-c>", 9},
      {"-jar (x", "missing ): -jar (x", 6},
      {"(a)(b", "missing )", 4},
      {"((a)b", "missing )", 1},
      {"[(]\\((?:b", "missing )", 6},
      {"x[a", "missing ]", 2},
      {"[a][a", "missing ]", 4},
      {"([a", "missing ]", 2},
      {"abc)def", "unexpected ): abc)def", 4},
      {"(a)\u00e9)(b)", "unexpected )", 5},
      {"\\d\\", "trailing \\", 3},
      {"\\q\\q", "invalid escape sequence: \\q", 1},
      {"\\\\q\\q", "invalid escape sequence: \\q", 4},
      {"a\xff"
       "b",
       "invalid UTF-8", 2},
      {large + "(", "missing )", 10},
      {"a" + large + "b", "pattern too large", 10},
  };
  for (const auto& [expression, wrong, character] : cases) {
    const std::string error =
        CheckGroupRules({Rule("a", {{Field::kCmdline, expression}})});
    EXPECT_THAT(error, StartsWith("rule 1 (\"a\"): cmdline: \"" + expression +
                                  "\" is no RE2 expression: "));
    EXPECT_THAT(error, HasSubstr(wrong));
    EXPECT_THAT(error, EndsWith(", at character " + std::to_string(character)));
  }
}

// What a real rule needs is far from the bound of memory.
TEST(GroupRules, LargeExpressionsAreAccepted) {
  for (const char* expression : {"(?i)--name=([^ ]{1,63})", "\\pL{1,40}",
                                 ".{0,100}x", "[[:word:]]{500}"})
    EXPECT_EQ(CheckGroupRules({Rule("a", {{Field::kCmdline, expression}})}), "")
        << expression;
}

}  // namespace
}  // namespace pfe
