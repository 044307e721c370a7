// SPDX-License-Identifier: Apache-2.0
#include "group/rules.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "base/utf8.h"
#include "group/name_template.h"

namespace pfe {
namespace {

// The most memory that RE2 uses for one expression. Where the caches of its
// automata would need more, it matches without them, and more slowly.
constexpr int64_t kExpressionMemory = 1 << 20;

std::unique_ptr<re2::RE2> Compile(const std::string& expression) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kExpressionMemory);
  return std::make_unique<re2::RE2>(expression, options);
}

// The number of a capture; -1 if the expression does not have it.
int CaptureNumber(const re2::RE2& regex, const std::string& capture) {
  const auto& names = regex.NamedCapturingGroups();
  const auto named = names.find(capture);
  if (named != names.end()) return named->second;
  int number = 0;
  const char* end = capture.data() + capture.size();
  const auto [at, error] = std::from_chars(capture.data(), end, number);
  const bool has = error == std::errc() && at == end && number >= 0 &&
                   number <= regex.NumberOfCapturingGroups();
  return has ? number : -1;
}

// The offset of the outermost unclosed (: the last one before which the
// expression is valid.
size_t OffsetOfOpen(const std::string& expression) {
  size_t open = 0;
  for (size_t at = expression.find('('); at != std::string::npos;
       at = expression.find('(', at + 1)) {
    const auto code = Compile(expression.substr(0, at))->error_code();
    if (code == re2::RE2::NoError || code == re2::RE2::ErrorPatternTooLarge)
      open = at;
  }
  return open;
}

// The offset of the mistake in an expression that RE2 refuses. RE2 parses from
// the left, so the mistake is at the end of the shortest prefix that it refuses
// with the same error.
size_t OffsetOfMistake(const std::string& expression, const re2::RE2& regex) {
  const auto code = regex.error_code();
  if (code == re2::RE2::ErrorMissingParen) return OffsetOfOpen(expression);
  // These errors are at the end of the expression. A prefix that ends within an
  // escape or within brackets has the same error.
  const bool at_end = code == re2::RE2::ErrorTrailingBackslash ||
                      code == re2::RE2::ErrorMissingBracket;
  size_t end = at_end ? expression.size() : 1;
  // For a ) without ( RE2 does not say the part, but the whole.
  const std::string part =
      code == re2::RE2::ErrorUnexpectedParen ? "" : regex.error_arg();
  for (; end < expression.size(); ++end) {
    if ((expression[end] & 0xc0) == 0x80) continue;  // within a character
    const auto beginning = Compile(expression.substr(0, end));
    if (beginning->error_code() == code &&
        (part.empty() || beginning->error_arg() == part))
      break;
  }
  return std::min(expression.substr(0, end).rfind(part), end - 1);
}

std::string CheckExpression(const std::string& expression) {
  if (expression.size() > kMostExpressionBytes)
    return "the expression has more than " +
           std::to_string(kMostExpressionBytes) + " bytes" +
           AtCharacter(expression, kMostExpressionBytes);
  const auto regex = Compile(expression);
  if (regex->ok()) return "";
  return "\"" + expression + "\" is no RE2 expression: " + regex->error() +
         AtCharacter(expression, OffsetOfMistake(expression, *regex));
}

// Checks a field of the template. `expression` is the rule's for this field.
std::string CheckReference(const NamePart& part,
                           const std::string& expression) {
  const std::string field = kFieldNames[static_cast<size_t>(*part.field)];
  const std::string whole = "{{" + field + "." + part.capture + "}}";
  if (part.capture.empty())
    return part.field == Field::kCmdline
               ? "{{cmdline}} would show whole command lines, with their "
                 "secrets: name a capture, such as {{cmdline.1}}"
               : "";
  if (expression.empty())
    return whole + " is a capture, and the rule has no expression for " + field;
  const auto regex = Compile(expression);
  if (CaptureNumber(*regex, part.capture) >= 0) return "";
  return whole + " is no capture of \"" + expression + "\", which has " +
         std::to_string(regex->NumberOfCapturingGroups());
}

std::string CheckName(const GroupRule& rule) {
  if (rule.name.empty()) return "name: is missing or empty";
  if (rule.name.size() > kMostTemplateBytes)
    return "name: the template has more than " +
           std::to_string(kMostTemplateBytes) + " bytes" +
           AtCharacter(rule.name, kMostTemplateBytes);
  std::vector<NamePart> parts;
  std::string wrong = CheckTemplate(rule.name, &parts);
  for (const NamePart& part : parts) {
    if (!wrong.empty() || !part.field) continue;
    wrong = CheckReference(part, rule.expressions[*part.field]);
    if (!wrong.empty()) wrong += part.where;
  }
  return wrong.empty() ? "" : "name: " + wrong;
}

std::string CheckRule(const GroupRule& rule) {
  for (size_t i = 0; i < kFields; ++i) {
    const std::string wrong = CheckExpression(rule.expressions[i]);
    if (!wrong.empty()) return std::string(kFieldNames[i]) + ": " + wrong;
  }
  return CheckName(rule);
}

// Cuts a text between two characters.
void Cut(size_t size, std::string* text) {
  if (text->size() <= size) return;
  while (size > 0 && ((*text)[size] & 0xc0) == 0x80) --size;
  text->resize(size);
}

std::string_view WithoutDirectory(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

GroupRule GroupBy(Field field) {
  GroupRule rule;
  rule.name =
      std::string("{{") + kFieldNames[static_cast<size_t>(field)] + "}}";
  return rule;
}

std::string CheckGroupRules(const std::vector<GroupRule>& rules) {
  if (rules.size() > kMostGroupRules)
    return "there are more than " + std::to_string(kMostGroupRules) + " rules";
  for (size_t i = 0; i < rules.size(); ++i) {
    const std::string wrong = CheckRule(rules[i]);
    if (!wrong.empty()) return GroupRuleLabel(i, rules[i].name) + ": " + wrong;
  }
  return "";
}

std::string GroupRuleLabel(size_t index, std::string_view name) {
  std::string number = "rule " + std::to_string(index + 1);
  if (name.empty()) return number;
  std::string shown(name);
  Cut(kMostTemplateBytes, &shown);
  // A message ends at a NUL.
  std::replace_if(
      shown.begin(), shown.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
  return number + " (\"" + shown + "\")";
}

// A rule whose expressions are compiled.
struct GroupRules::Rule {
  struct Part {
    std::string text;
    std::optional<Field> field;
    int capture = -1;  // -1: the field as a whole
  };
  // What the expressions of one process match, by field and capture.
  using Captures = ByField<std::vector<re2::StringPiece>>;

  explicit Rule(const GroupRule& rule);
  bool Matches(const ByField<std::string>& process, Captures* captures) const;
  std::string Name(const ByField<std::string>& process,
                   const Captures& captures) const;

  ByField<std::unique_ptr<re2::RE2>> regexes;
  ByField<int> captures{};  // how many the name needs, with number 0
  bool exe_is_path = false;
  std::vector<Part> name;
  Fields needs = 0;
};

GroupRules::Rule::Rule(const GroupRule& rule)
    : exe_is_path(rule.expressions[Field::kExe].find('/') !=
                  std::string::npos) {
  for (size_t i = 0; i < kFields; ++i) {
    if (rule.expressions[i].empty()) continue;
    regexes[i] = Compile(rule.expressions[i]);
    needs |= Bit(static_cast<Field>(i));
  }
  std::vector<NamePart> parts;
  CheckTemplate(rule.name, &parts);
  for (NamePart& part : parts) {
    Part& own = name.emplace_back();
    own.text = std::move(part.text);
    own.field = part.field;
    if (!part.field) continue;
    needs |= Bit(*part.field);
    if (part.capture.empty()) continue;
    own.capture = CaptureNumber(*regexes[*part.field], part.capture);
    captures[*part.field] = std::max(captures[*part.field], own.capture + 1);
  }
}

bool GroupRules::Rule::Matches(const ByField<std::string>& process,
                               Captures* found) const {
  for (size_t i = 0; i < kFields; ++i) {
    const auto field = static_cast<Field>(i);
    if ((needs & Bit(field)) == 0) continue;
    if (process[i].empty()) return false;
    if (!regexes[i]) continue;
    std::string_view text = process[i];
    if (field == Field::kExe && !exe_is_path) text = WithoutDirectory(text);
    const bool any_part = field == Field::kCmdline || field == Field::kCgroup;
    (*found)[i].resize(static_cast<size_t>(captures[i]));
    if (!regexes[i]->Match(
            re2::StringPiece(text.data(), text.size()), 0, text.size(),
            any_part ? re2::RE2::UNANCHORED : re2::RE2::ANCHOR_BOTH,
            (*found)[i].data(), captures[i]))
      return false;
  }
  return true;
}

std::string GroupRules::Rule::Name(const ByField<std::string>& process,
                                   const Captures& found) const {
  std::string text;
  for (const Part& part : name) {
    if (!part.field) {
      text += part.text;
    } else if (part.capture >= 0) {
      const re2::StringPiece piece =
          found[*part.field][static_cast<size_t>(part.capture)];
      text.append(piece.data(), piece.size());
    } else if (part.field == Field::kExe) {
      text += WithoutDirectory(process[Field::kExe]);
    } else {
      text += process[*part.field];
    }
  }
  // An expression with \C can capture a part of a character.
  text = ToValidUtf8(text);
  Cut(kMostGroupNameBytes, &text);
  return text;
}

GroupRules::GroupRules(const std::vector<GroupRule>& rules) {
  rules_.reserve(rules.size());
  for (const GroupRule& rule : rules) needs_ |= rules_.emplace_back(rule).needs;
}

GroupRules::~GroupRules() = default;

std::string GroupRules::NameOf(const ByField<std::string>& process) const {
  for (const Rule& rule : rules_) {
    Rule::Captures captures;
    if (!rule.Matches(process, &captures)) continue;
    std::string name = rule.Name(process, captures);
    if (!name.empty()) return name;
  }
  return process[Field::kComm];
}

}  // namespace pfe
