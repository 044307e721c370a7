// SPDX-License-Identifier: Apache-2.0
// Every comm becomes a label value that Prometheus decodes to the same text,
// and HTML without markup.
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "http/html.h"
#include "render/sample_writer.h"
#include "source/unescape.h"

namespace {

// Decodes a label value as Prometheus's text parser does; aborts at what that
// parser refuses.
std::string Undo(std::string_view value) {
  std::string text;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '"' || value[i] == '\n') abort();
    if (value[i] != '\\') {
      text += value[i];
      continue;
    }
    if (++i == value.size()) abort();
    switch (value[i]) {
      case 'n':
        text += '\n';
        break;
      case '\\':
        text += '\\';
        break;
      case '"':
        text += '"';
        break;
      default:
        abort();
    }
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto unescaped = pfe::Unescape(bytes);
  for (const std::string& comm :
       {std::string(bytes), unescaped.value_or(std::string())}) {
    const std::string valid = pfe::ToValidUtf8(comm);
    if (pfe::ToValidUtf8(valid) != valid) abort();
    pfe::SampleWriter writer;
    writer.Clear(pfe::SampleWriter::LabelRoom("a", valid.size()));
    writer.AppendLabel("a", valid);
    std::string_view label = writer.text();
    label.remove_prefix(sizeof(",a=\"") - 1);
    label.remove_suffix(1);
    if (Undo(label) != valid) abort();
    if (pfe::EscapeHtml(valid).find_first_of("<>\"'") != std::string::npos)
      abort();
  }
  return 0;
}
