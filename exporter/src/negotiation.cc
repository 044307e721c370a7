// SPDX-License-Identifier: Apache-2.0
#include "negotiation.h"

#include <algorithm>
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

// Cuts `text` at the first separator: what is before it, and the rest.
std::string_view TakeItem(std::string_view* text, char separator) {
  const size_t at = std::min(text->find(separator), text->size());
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

// Whether a weight (RFC 9110, section 12.4.2) is above 0; a malformed one is
// not.
bool IsPositiveWeight(std::string_view weight) {
  if (weight.empty() || (weight[0] != '0' && weight[0] != '1')) return false;
  if (weight.size() > 1 && weight[1] != '.') return false;
  return weight[0] == '1' ||
         weight.find_first_of("123456789") != std::string_view::npos;
}

// Whether the parameters behind an item have a weight above 0, or none.
bool IsWanted(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string parameter = Lower(TakeItem(&parameters, ';'));
    if (parameter.starts_with("q="))
      return IsPositiveWeight(Trim(std::string_view(parameter).substr(2)));
  }
  return true;
}

}  // namespace

bool AcceptsGzip(std::string_view accept_encoding) {
  std::optional<bool> gzip, any;
  while (!accept_encoding.empty()) {
    std::string_view item = TakeItem(&accept_encoding, ',');
    const std::string coding = Lower(TakeItem(&item, ';'));
    if (coding == "gzip" || coding == "x-gzip") gzip = IsWanted(item);
    if (coding == "*") any = IsWanted(item);
  }
  return gzip.value_or(any.value_or(false));
}

}  // namespace pfe
