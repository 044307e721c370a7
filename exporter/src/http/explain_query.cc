// SPDX-License-Identifier: Apache-2.0
#include "http/explain_query.h"

#include <charconv>
#include <cstdint>
#include <system_error>
#include <utility>

#include "http/query.h"

namespace pfe {
namespace {

constexpr uint32_t kMostSeconds = 60;
constexpr uint32_t kMostRows = 10000;

std::optional<uint32_t> ToNumber(const std::string& text) {
  uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || parsed != end) return std::nullopt;
  return number;
}

class Parser {
 public:
  explicit Parser(bool is_profile) : is_profile_(is_profile) {}

  // Returns what is wrong, or an empty text.
  std::string Set(const std::string& name, const std::string& value);

  bool has_selector() const { return has_selector_; }
  const ExplainQuery& query() const { return query_; }

 private:
  std::string Select(Selector by);
  std::string SetSeconds(uint32_t seconds);
  std::string SetRows(uint32_t rows);

  const bool is_profile_;
  bool has_selector_ = false;
  ExplainQuery query_;
};

std::string Parser::Select(Selector by) {
  if (std::exchange(has_selector_, true))
    return "comm, pid and cgroup exclude each other";
  query_.request.selector = std::move(by);
  return "";
}

std::string Parser::SetSeconds(uint32_t seconds) {
  query_.request.time = std::chrono::seconds(seconds);
  return seconds >= 1 && seconds <= kMostSeconds
             ? ""
             : "seconds is a number from 1 to 60";
}

std::string Parser::SetRows(uint32_t rows) {
  query_.rows = rows;
  return rows >= 1 && rows <= kMostRows ? ""
                                        : "limit is a number from 1 to 10000";
}

std::string Parser::Set(const std::string& name, const std::string& value) {
  const std::optional<uint32_t> number = ToNumber(value);
  if (name == "comm")
    return value.empty() ? "comm is empty" : Select(Selector::OfComm(value));
  if (name == "pid")
    return number ? Select(Selector::OfPid(*number)) : "pid is a number";
  if (name == "cgroup")
    return value.starts_with('/') ? Select(Selector::OfCgroup(value))
                                  : "cgroup is a path that begins with /";
  if (name == "seconds") return SetSeconds(number.value_or(0));
  if (name == "limit" && !is_profile_) return SetRows(number.value_or(0));
  return name + " is not known: there are comm, pid, cgroup" +
         (is_profile_ ? " and seconds" : ", seconds and limit");
}

}  // namespace

std::optional<ExplainQuery> ParseExplainQuery(std::string_view query,
                                              bool is_profile,
                                              std::string* wrong) {
  const auto parameters = ParseQuery(query, wrong);
  if (!parameters) return std::nullopt;
  Parser parser(is_profile);
  for (const auto& [name, value] : *parameters)
    if (*wrong = parser.Set(name, value); !wrong->empty()) return std::nullopt;
  if (!is_profile && !parser.has_selector()) {
    *wrong = "comm, pid or cgroup says whose faults";
    return std::nullopt;
  }
  return parser.query();
}

}  // namespace pfe
