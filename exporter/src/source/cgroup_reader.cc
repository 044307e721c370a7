// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/utf8.h"

namespace pfe {
namespace {

// The kernel appends this in the unified hierarchy, after the name of a group
// that was removed.
constexpr std::string_view kDeleted = " (deleted)";

// The path in the text of /proc/PID/cgroup, as it stands there.
std::string_view PathIn(std::string_view text) {
  std::string_view unified, named, first;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t one = line.find(':');
    const size_t two = line.find(':', one == line.npos ? one : one + 1);
    if (two == line.npos) continue;
    const std::string_view path = line.substr(two + 1);
    if (line.starts_with("0::")) unified = path;
    if (line.substr(one + 1, two - one - 1) == "name=systemd") named = path;
    if (first.empty()) first = path;
  }
  // In the hybrid layout the processes are in the named hierarchy.
  if (!named.empty() && (unified.empty() || unified == "/")) return named;
  if (unified.ends_with(kDeleted)) unified.remove_suffix(kDeleted.size());
  return unified.empty() ? first : unified;
}

bool IsOutside(std::string_view path) {
  return path == "/.." || path.starts_with("/../");
}

std::string ReadText(const std::string& procfs, uint64_t pid) {
  // Not with a stream, which throws if the process exits between open and read.
  const std::string path = procfs + "/" + std::to_string(pid) + "/cgroup";
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return "";
  std::string text;
  char buffer[4096];
  ssize_t n;
  while ((n = read(file, buffer, sizeof(buffer))) > 0)
    text.append(buffer, static_cast<size_t>(n));
  close(file);
  return text;
}

}  // namespace

std::string CgroupPathOf(std::string_view text) {
  const std::string_view path = PathIn(text);
  return path.starts_with('/') && !IsOutside(path) ? ToValidUtf8(path) : "";
}

bool HasOtherRoot(const std::string& procfs) {
  return IsOutside(PathIn(ReadText(procfs, 1)));
}

}  // namespace pfe
