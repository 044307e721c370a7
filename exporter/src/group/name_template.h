// SPDX-License-Identifier: Apache-2.0
// The template of a group's name, such as "java:{{cmdline.1}}".
#ifndef EXPORTER_GROUP_NAME_TEMPLATE_H_
#define EXPORTER_GROUP_NAME_TEMPLATE_H_

#include <string>
#include <string_view>
#include <vector>

#include "group/fields.h"

namespace pfe {

// A constant text, or a field between {{ and }}.
struct NamePart {
  std::string text;  // used if there is no field
  std::optional<Field> field;
  std::string capture;  // its number or name; empty: the field as a whole
  std::string where;    // the place of its {{ for messages: see AtCharacter()
};

// ", at character N": the character of a text in UTF-8 that has the byte `at`,
// counted from 1.
std::string AtCharacter(std::string_view text, size_t at);

// Splits a template into parts. Returns what is wrong with it and where, or an
// empty string.
std::string CheckTemplate(std::string_view text, std::vector<NamePart>* parts);

}  // namespace pfe

#endif  // EXPORTER_GROUP_NAME_TEMPLATE_H_
