// SPDX-License-Identifier: Apache-2.0
#include "group/name_template.h"

#include <algorithm>

namespace pfe {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";

// Takes what is between {{ and }}: FIELD or FIELD.CAPTURE.
std::string CheckPart(std::string_view inside, NamePart* part) {
  const size_t dot = std::min(inside.find('.'), inside.size());
  const std::string whole = "{{" + std::string(inside) + "}}";
  part->field = FieldOf(inside.substr(0, dot));
  if (!part->field)
    return whole +
           " names no field; fields are comm, exe, cmdline, unit, user and "
           "cgroup";
  if (dot == inside.size()) return "";
  part->capture = inside.substr(dot + 1);
  return part->capture.empty() ? whole + " names no capture" : "";
}

}  // namespace

std::string AtCharacter(std::string_view text, size_t at) {
  text = text.substr(0, at + 1);
  const auto number = std::count_if(text.begin(), text.end(),
                                    [](char c) { return (c & 0xc0) != 0x80; });
  return ", at character " + std::to_string(number);
}

std::string CheckTemplate(std::string_view text, std::vector<NamePart>* parts) {
  for (size_t at = 0; at < text.size();) {
    const size_t open = std::min(text.find(kOpen, at), text.size());
    if (open > at) parts->emplace_back().text = text.substr(at, open - at);
    if (open == text.size()) break;
    const std::string where = AtCharacter(text, open);
    const size_t close = text.find(kClose, open);
    if (close == text.npos)
      return "}} is missing after " + std::string(text.substr(open)) + where;
    const size_t inside = open + kOpen.size();
    NamePart& part = parts->emplace_back();
    part.where = where;
    const std::string wrong =
        CheckPart(text.substr(inside, close - inside), &part);
    if (!wrong.empty()) return wrong + where;
    at = close + kClose.size();
  }
  return "";
}

}  // namespace pfe
