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

// Converts a value of the file to what the command line would contain.
std::vector<std::string> ValuesOf(const Json& json, const std::string& key) {
  if (json.is_array()) {
    std::vector<std::string> values;
    for (const Json& element : json)
      for (std::string& value : ValuesOf(element, key))
        values.push_back(std::move(value));
    return values;
  }
  if (json.is_string()) return {json.get<std::string>()};
  if (json.is_boolean() || json.is_number()) return {json.dump()};
  throw CLI::ValidationError(
      key,
      json.dump() + " is no string, number, true, false or a list of them");
}

void ApplyKey(CLI::App* app, const std::string& key, const Json& value) {
  CLI::Option* option = app->get_option_no_throw("--" + key);
  if (!option || std::count(std::begin(kOnlyOnTheCommandLine),
                            std::end(kOnlyOnTheCommandLine), key))
    throw CLI::ValidationError(
        key, "is no option of the file; those of --help are, without --");
  if (option->count() > 0) return;  // a flag or the environment has it
  option->add_result(ValuesOf(value, key));
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
    if (!value.is_string()) Refuse(index, rule.name, key + ": is no string");
    if (!field) continue;
    rule.expressions[*field] = value.get<std::string>();
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
  return Json::parse(file, [&keys](int, Event event, const Json& parsed) {
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key &&
        !keys.back().insert(parsed.get<std::string>()).second)
      throw std::runtime_error(parsed.dump() + " is there twice");
    return true;
  });
}

}  // namespace

void ApplyConfigFile(const std::string& path, CLI::App* app,
                     std::vector<GroupRule>* groups) {
  std::ifstream file(path);
  if (!file)
    throw CLI::FileError("--config.file: cannot read " + path + ": " +
                         strerror(errno));
  if (std::filesystem::is_directory(path))
    throw CLI::FileError("--config.file: " + path + " is a directory");
  Json json;
  try {
    json = ParseJson(file);
  } catch (const std::exception& error) {  // from parsing or from reading
    throw CLI::FileError("--config.file: " + path + ": " + error.what());
  }
  if (!json.is_object())
    throw CLI::FileError("--config.file: " + path + ": expected a JSON object");
  for (const auto& [key, value] : json.items()) {
    try {
      if (key == "groups")
        *groups = RulesOf(value);
      else
        ApplyKey(app, key, value);
    } catch (const CLI::ParseError& error) {
      throw CLI::FileError("--config.file: " + path + ": " + error.what());
    }
  }
}

}  // namespace pfe
