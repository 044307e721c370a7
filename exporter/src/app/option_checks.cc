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

// Zeros in front would make an octal number of it for some readers.
bool IsDecimal(const std::string& text) {
  return !text.empty() &&
         text.find_first_not_of("0123456789") == std::string::npos &&
         (text == "0" || text.front() != '0');
}

// The characters of a path that no request has to escape (RFC 3986, 3.3).
bool NeedsNoEscape(const std::string& path) {
  return path.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
             "/-._~!$&'()*+,;=:@") == std::string::npos;
}

// Clients and proxies remove such parts before a request is sent.
bool HasPartToRemove(const std::string& path) {
  const std::string closed = path + "/";
  return path.find("//") != std::string::npos ||
         closed.find("/./") != std::string::npos ||
         closed.find("/../") != std::string::npos;
}

}  // namespace

std::string CheckDecimal(const std::string& text) {
  return IsDecimal(text) ? ""
                         : "\"" + text +
                               "\" is no decimal number (such as 40, without "
                               "leading zeros)";
}

std::string CheckRows(const std::string& text) {
  constexpr size_t kMostDigits = 6;
  return text.empty() || (IsDecimal(text) && text.size() <= kMostDigits)
             ? ""
             : "\"" + text +
                   "\" is no number of rows (such as 40, without leading "
                   "zeros)";
}

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
  if (!NeedsNoEscape(path) || HasPartToRemove(path))
    return "\"" + path +
           "\" is no path as requests name it (it has letters, digits, / and "
           "-._~!$&'()*+,;=:@ only, and no part of it is empty, . or ..)";
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
