// SPDX-License-Identifier: Apache-2.0
#include "http/negotiation.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>

namespace pfe {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const size_t start = text.find_first_not_of(kBlank);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kBlank) - start + 1);
}

// The position of the first separator outside of quoted strings (RFC 9110,
// section 5.6.4), or the end.
size_t FindSeparator(std::string_view text, char separator) {
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (text[i] == separator && !quoted)
      return i;
  }
  return text.size();
}

// Removes the front of `text` up to the first separator, and returns it.
std::string_view TakeItem(std::string_view* text, char separator) {
  const size_t at = FindSeparator(*text, separator);
  const std::string_view item = Trim(text->substr(0, at));
  text->remove_prefix(std::min(at + 1, text->size()));
  return item;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return lower;
}

// Parses a weight (RFC 9110, section 12.4.2), in thousandths. A malformed
// weight is 0.
int ParseWeight(std::string_view weight) {
  if (weight.empty() || weight.size() > 5 ||
      (weight[0] != '0' && weight[0] != '1') ||
      (weight.size() > 1 && weight[1] != '.'))
    return 0;
  int value = weight[0] == '1' ? 1000 : 0;
  int unit = 100;
  for (const char c : weight.substr(std::min<size_t>(weight.size(), 2))) {
    if (c < '0' || c > '9') return 0;
    value += (c - '0') * unit;
    unit /= 10;
  }
  return std::min(value, 1000);
}

// One item of a list, with its parameters `version` and `q`.
struct Item {
  std::string name;
  std::string version;  // empty if there is none
  int weight = 1000;
};

std::string Unquoted(const std::string& text) {
  const bool quoted =
      text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

Item ParseItem(std::string_view text) {
  Item item;
  item.name = Lower(TakeItem(&text, ';'));
  while (!text.empty()) {
    const std::string parameter = Lower(TakeItem(&text, ';'));
    if (parameter.starts_with("q="))
      item.weight = ParseWeight(Trim(std::string_view(parameter).substr(2)));
    if (parameter.starts_with("version="))
      item.version = Unquoted(parameter.substr(sizeof("version=") - 1));
  }
  return item;
}

// Notes the weight of an item that names our version, or no version.
void NoteVersion(const Item& item, std::string_view ours,
                 std::optional<int>* type, std::optional<int>* version) {
  if (item.version.empty())
    *type = item.weight;
  else if (item.version == ours)
    *version = item.weight;
}

}  // namespace

bool AcceptsGzip(std::string_view accept_encoding) {
  std::optional<int> gzip, any;
  int identity = 0;
  while (!accept_encoding.empty()) {
    const Item item = ParseItem(TakeItem(&accept_encoding, ','));
    if (item.name == "gzip" || item.name == "x-gzip") gzip = item.weight;
    if (item.name == "identity") identity = item.weight;
    if (item.name == "*") any = item.weight;
  }
  // The highest weight is preferred (RFC 9110, section 12.5.3).
  const int weight = gzip.value_or(any.value_or(0));
  return weight > 0 && weight >= identity;
}

bool AcceptsIdentity(std::string_view accept_encoding) {
  std::optional<bool> identity, any;
  while (!accept_encoding.empty()) {
    const Item item = ParseItem(TakeItem(&accept_encoding, ','));
    if (item.name == "identity") identity = item.weight > 0;
    if (item.name == "*") any = item.weight > 0;
  }
  return identity.value_or(any.value_or(true));
}

Format PreferredFormat(std::string_view accept) {
  // Weights by how specific the range is: any type, the main type, the type,
  // the type with its version. The most specific range decides (RFC 9110,
  // section 12.5.1).
  std::array<std::optional<int>, 4> text, openmetrics;
  while (!accept.empty()) {
    const Item item = ParseItem(TakeItem(&accept, ','));
    if (item.name == "*/*") text[0] = openmetrics[0] = item.weight;
    if (item.name == "text/*") text[1] = item.weight;
    if (item.name == "application/*") openmetrics[1] = item.weight;
    if (item.name == "text/plain")
      NoteVersion(item, "0.0.4", &text[2], &text[3]);
    if (item.name == "application/openmetrics-text")
      NoteVersion(item, "1.0.0", &openmetrics[2], &openmetrics[3]);
  }
  const auto weight = [](const auto& ranges) {
    return ranges[3]   ? *ranges[3]
           : ranges[2] ? *ranges[2]
           : ranges[1] ? *ranges[1]
                       : ranges[0].value_or(0);
  };
  return weight(openmetrics) > weight(text) ? Format::kOpenMetrics
                                            : Format::kText;
}

}  // namespace pfe
