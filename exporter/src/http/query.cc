// SPDX-License-Identifier: Apache-2.0
#include "http/query.h"

#include <algorithm>
#include <charconv>

namespace pfe {
namespace {

constexpr size_t kLongest = 4096;

// In a query a space is a plus.
std::optional<std::string> Decode(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return DecodePercent(spaced);
}

}  // namespace

std::optional<std::string> DecodePercent(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      unsigned char byte = 0;
      const char* end = text.data() + i + 3;
      const auto [at, error] =
          std::from_chars(text.data() + i + 1, end, byte, 16);
      if (error != std::errc() || at != end) return std::nullopt;
      decoded += static_cast<char>(byte);
      i += 2;
    }
  }
  return decoded;
}

std::optional<std::map<std::string, std::string>> ParseQuery(
    std::string_view query, std::string* error) {
  if (query.size() > kLongest) {
    *error = "the query is longer than " + std::to_string(kLongest) + " bytes";
    return std::nullopt;
  }
  std::map<std::string, std::string> parameters;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    const auto name = Decode(pair.substr(0, equals));
    const auto value = Decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) {
      *error = std::string(pair) + ": an escape is not % and two hex digits";
      return std::nullopt;
    }
    if (!parameters.emplace(*name, *value).second) {
      *error = *name + ": is given twice";
      return std::nullopt;
    }
  }
  return parameters;
}

}  // namespace pfe
