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

std::string CheckTemplate(std::string_view text, std::vector<NamePart>* parts) {
  while (!text.empty()) {
    const size_t open = std::min(text.find(kOpen), text.size());
    if (open > 0) parts->emplace_back().text = text.substr(0, open);
    text.remove_prefix(open);
    if (text.empty()) break;
    const size_t close = text.find(kClose);
    if (close == text.npos) return "}} is missing after " + std::string(text);
    std::string wrong =
        CheckPart(text.substr(kOpen.size(), close - kOpen.size()),
                  &parts->emplace_back());
    if (!wrong.empty()) return wrong;
    text.remove_prefix(close + kClose.size());
  }
  return "";
}

}  // namespace pfe
