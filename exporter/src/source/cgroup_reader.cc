// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/utf8.h"
#include "source/file.h"

namespace pfe {
namespace {

// The kernel appends this in the unified hierarchy, after the name of a group
// that was removed.
constexpr std::string_view kDeleted = " (deleted)";

// The paths in the text of /proc/PID/cgroup, as they stand there.
struct Paths {
  explicit Paths(std::string_view text);
  // Whether there is a group of systemd's hierarchy, and not its root.
  bool has_named() const { return !named.empty() && named != "/"; }
  std::string_view Choose(bool by_systemd) const;

  std::string_view unified, named, first;
};

Paths::Paths(std::string_view text) {
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
  if (unified.ends_with(kDeleted)) unified.remove_suffix(kDeleted.size());
}

std::string_view Paths::Choose(bool by_systemd) const {
  if (by_systemd && has_named()) return named;
  if (!unified.empty() && unified != "/") return unified;
  if (!named.empty()) return named;
  return unified.empty() ? first : unified;
}

bool IsOutside(std::string_view path) {
  return path == "/.." || path.starts_with("/../");
}

}  // namespace

std::string CgroupPathOf(std::string_view text, bool by_systemd) {
  const std::string_view path = Paths(text).Choose(by_systemd);
  return path.starts_with('/') && !IsOutside(path) ? ToValidUtf8(path) : "";
}

// systemd puts itself into a group, init.scope, of the hierarchies that it
// uses.
void LayoutReader::Update(const std::string& procfs) {
  const std::string file = procfs + "/1/cgroup";
  std::string text;
  const int error = ReadText(AT_FDCWD, file.c_str(), kMostCgroupBytes, &text);
  error_.clear();
  if (error == 0) {
    const Paths paths(text);
    CgroupLayout& layout = layout_.emplace();
    layout.by_systemd = paths.has_named();
    layout.other_root = IsOutside(paths.Choose(layout.by_systemd));
    return;
  }
  const bool stays = IsAbsence(error) || error == EACCES || error == EPERM;
  if (stays && !layout_) layout_.emplace();
  if (!IsAbsence(error))
    error_ = "the layout of control groups cannot be read: " + file + ": " +
             strerror(error);
}

}  // namespace pfe
