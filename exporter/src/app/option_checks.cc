// SPDX-License-Identifier: Apache-2.0
#include "app/option_checks.h"

#include <chrono>

#include "app/options.h"
#include "follow/selection.h"
#include "http/listen_address.h"

namespace pfe {
namespace {

constexpr std::chrono::milliseconds kShortestInterval{100};
constexpr std::chrono::milliseconds kLongestInterval{3600000};

}  // namespace

std::string CheckInterval(const std::string& text) {
  const auto interval = ParseDuration(text);
  if (interval && *interval >= kShortestInterval &&
      *interval <= kLongestInterval)
    return "";
  return "\"" + text +
         "\" is not a duration from 100ms to 1h (such as 500ms, 5s, "
         "1m)";
}

std::string CheckBirthHold(const std::string& text) {
  const auto hold = ParseDuration(text);
  if (hold && *hold <= kLongestInterval) return "";
  return "\"" + text +
         "\" is not a duration from 0s to 1h (such as 500ms, 60s, 2m)";
}

std::string CheckTelemetryPath(const std::string& path) {
  if (path.size() < 2 || path.front() != '/' || path.starts_with("/-/") ||
      path.starts_with("/api/"))
    return "\"" + path +
           "\" is no path such as /metrics (it starts with /, is not / itself "
           "and not below /-/ or /api/)";
  return "";
}

std::string CheckAddress(const std::string& address) {
  const std::string wrong = CheckListenAddress(address);
  return wrong.empty() ? "" : "\"" + address + "\": " + wrong;
}

std::string CheckExpression(const std::string& regex) {
  const std::string wrong = CheckRegex(regex);
  return wrong.empty() ? ""
                       : "\"" + regex + "\" is no RE2 expression: " + wrong;
}

}  // namespace pfe
