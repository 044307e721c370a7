// SPDX-License-Identifier: Apache-2.0
#include "app/config_file.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <vector>

namespace pfe {
namespace {

using Json = nlohmann::json;

// Options that are not allowed in the file.
constexpr const char* kOnlyOnTheCommandLine[] = {
    "config.file", "config.check", "once", "top", "help", "version"};

// No option needs as many levels. The library would dump a value of a hundred
// thousand levels by recursion.
constexpr int kMostLevels = 8;

// A value as a message quotes it.
std::string Shown(const Json& json) {
  constexpr size_t kMostBytes = 100;
  std::string text = json.dump(-1, ' ', true);  // in ASCII
  if (text.size() > kMostBytes) text.replace(kMostBytes, text.npos, "...");
  return text;
}

bool HasNul(std::string_view text) { return text.find('\0') != text.npos; }
constexpr const char* kNul = "has a NUL";

// Converts a value of the file to what the command line would contain.
std::string ValueOf(const Json& json, const std::string& key,
                    const CLI::Option& option) {
  const bool is_flag = option.get_items_expected_max() == 0;
  if (is_flag && json.is_boolean()) return json.dump();
  if (is_flag)
    throw CLI::ValidationError(key, Shown(json) + " is not true or false");
  if (json.is_number()) return json.dump();
  if (!json.is_string())
    throw CLI::ValidationError(key, Shown(json) + " is no string or number");
  // The system would end a path there.
  auto text = json.get<std::string>();
  if (HasNul(text)) throw CLI::ValidationError(key, kNul);
  return text;
}

std::vector<std::string> ValuesOf(const Json& json, const std::string& key,
                                  const CLI::Option& option) {
  if (!json.is_array()) return {ValueOf(json, key, option)};
  if (option.get_items_expected_max() <= 1)
    throw CLI::ValidationError(key, "takes one value, not a list");
  std::vector<std::string> values;
  for (const Json& element : json)
    values.push_back(ValueOf(element, key, option));
  return values;
}

// `applied` has the options that the file has set so far.
void ApplyKey(CLI::App* app, const std::string& key, const Json& value,
              std::set<const CLI::Option*>* applied) {
  CLI::Option* option = app->get_option_no_throw("--" + key);
  if (!option || std::count(std::begin(kOnlyOnTheCommandLine),
                            std::end(kOnlyOnTheCommandLine), key))
    throw CLI::ValidationError(
        key, "is no option of the file; those of --help are, without --");
  const std::vector<std::string> values = ValuesOf(value, key, *option);
  if (applied->contains(option))
    throw CLI::ValidationError(key, "is another name of " +
                                        option->get_single_name() +
                                        ", which the file has too");
  if (option->count() > 0) return;  // a flag or the environment has it
  applied->insert(option);
  option->add_result(values);
  if (option->count() == 0) throw CLI::ValidationError(key, "is an empty list");
  option->run_callback();
}

[[noreturn]] void Refuse(size_t index, std::string_view name,
                         const std::string& wrong) {
  throw CLI::ValidationError("groups",
                             GroupRuleLabel(index, name) + ": " + wrong);
}

// Converts an object such as {"name": "web", "comm": "nginx|httpd"}.
GroupRule RuleOf(const Json& json, size_t index) {
  GroupRule rule;
  if (!json.is_object()) Refuse(index, "", "is no JSON object");
  const auto name = json.find("name");
  if (name != json.end() && name->is_string())
    rule.name = name->get<std::string>();
  for (const auto& [key, value] : json.items()) {
    const auto field = FieldOf(key);
    if (!field && key != "name")
      Refuse(index, rule.name,
             key +
                 ": is no field of a rule; fields are name, comm, exe, "
                 "cmdline, unit, user and cgroup");
    if (!value.is_string())
      Refuse(index, rule.name,
             key + ": is no string; alternatives have a bar between them");
    const auto text = value.get<std::string>();
    if (HasNul(text)) Refuse(index, rule.name, key + ": " + kNul);
    if (!field) continue;
    rule.expressions[*field] = text;
    if (rule.expressions[*field].empty())
      Refuse(index, rule.name, key + ": is an empty expression");
  }
  return rule;
}

std::vector<GroupRule> RulesOf(const Json& json) {
  if (!json.is_array())
    throw CLI::ValidationError("groups", "is no list of rules");
  if (json.empty()) throw CLI::ValidationError("groups", "is an empty list");
  std::vector<GroupRule> rules;
  for (const Json& rule : json) rules.push_back(RuleOf(rule, rules.size()));
  const std::string wrong = CheckGroupRules(rules);
  if (!wrong.empty()) throw CLI::ValidationError("groups", wrong);
  return rules;
}

// Refuses a key that is twice in one object; the library would take the last
// one.
Json ParseJson(std::istream& file) {
  using Event = Json::parse_event_t;
  std::vector<std::set<std::string>> keys;  // of the objects around
  return Json::parse(file, [&keys](int level, Event event, const Json& parsed) {
    if (level > kMostLevels)
      throw std::runtime_error("lists and objects are nested more than " +
                               std::to_string(kMostLevels) + " levels deep");
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key &&
        !keys.back().insert(parsed.get<std::string>()).second)
      throw std::runtime_error(Shown(parsed) + " is there twice");
    return true;
  });
}

}  // namespace

void ApplyConfigFile(const std::string& path, CLI::App* app,
                     std::vector<GroupRule>* groups) {
  // A pipe that nobody writes to would make the start and a reload hang.
  std::error_code error_code;
  const auto status = std::filesystem::status(path, error_code);
  if (std::filesystem::is_directory(status))
    throw CLI::FileError("--config.file: " + path + " is a directory");
  if (std::filesystem::exists(status) &&
      !std::filesystem::is_regular_file(status))
    throw CLI::FileError("--config.file: " + path + " is no regular file");
  std::ifstream file(path);
  if (!file)
    throw CLI::FileError("--config.file: cannot read " + path + ": " +
                         strerror(errno));
  Json json;
  try {
    json = ParseJson(file);
  } catch (const std::exception& error) {  // from parsing or from reading
    throw CLI::FileError("--config.file: " + path + ": " + error.what());
  }
  if (!json.is_object())
    throw CLI::FileError("--config.file: " + path + ": expected a JSON object");
  std::set<const CLI::Option*> applied;
  for (const auto& [key, value] : json.items()) {
    try {
      if (key == "groups")
        *groups = RulesOf(value);
      else
        ApplyKey(app, key, value, &applied);
    } catch (const CLI::ParseError& error) {
      throw CLI::FileError("--config.file: " + path + ": " + error.what());
    }
  }
}

}  // namespace pfe
