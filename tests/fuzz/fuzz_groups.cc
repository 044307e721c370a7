// SPDX-License-Identifier: Apache-2.0
// Checks a rule of groups, which may be anything, and matches it against a
// command line, which any process can set. Lines of the input: the name, the
// expression, the command line.
#include <stdlib.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "group/rules.h"

namespace {

std::string TakeLine(std::string_view* text) {
  const size_t end = std::min(text->find('\n'), text->size());
  std::string line(text->substr(0, end));
  text->remove_prefix(std::min(end + 1, text->size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  pfe::GroupRule rule;
  rule.name = TakeLine(&text);
  rule.expressions[pfe::Field::kCmdline] = TakeLine(&text);
  if (!pfe::CheckGroupRules({rule}).empty()) return 0;
  pfe::ByField<std::string> process;
  process[pfe::Field::kComm] = "a";
  process[pfe::Field::kCmdline] = pfe::ToValidUtf8(text);
  const std::string name = pfe::GroupRules({rule}).NameOf(process);
  if (name.empty() || name.size() > pfe::kMostGroupNameBytes ||
      name != pfe::ToValidUtf8(name))
    abort();
  return 0;
}
