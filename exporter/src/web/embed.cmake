# SPDX-License-Identifier: Apache-2.0
# Writes OUTPUT, the source of EmbeddedFiles(), from FILES: name=path, with
# commas between.
string(REPLACE "," ";" FILES "${FILES}")
set(arrays "")
set(entries "")
set(n 0)
foreach(file IN LISTS FILES)
  string(REGEX MATCH "^([^=]+)=(.+)$" matched "${file}")
  set(name "${CMAKE_MATCH_1}")
  file(READ "${CMAKE_MATCH_2}" bytes HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  string(APPEND arrays "constexpr char kFile${n}[] = {${bytes}};\n")
  string(APPEND entries
    "    {\"${name}\", std::string_view(kFile${n}, sizeof(kFile${n}))},\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE "${OUTPUT}" "// SPDX-License-Identifier: Apache-2.0
// Made by embed.cmake.
#include \"web/embedded.h\"

namespace pfe {
namespace {

${arrays}
constexpr EmbeddedFile kFiles[] = {
${entries}};

}  // namespace

std::span<const EmbeddedFile> EmbeddedFiles() { return kFiles; }

}  // namespace pfe
")
