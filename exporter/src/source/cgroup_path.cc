// SPDX-License-Identifier: Apache-2.0
// A path is read component by component, from the root. Each component can name
// a unit, a pod and a container; an inner one replaces an outer one.
//
// A component names a container only if it has a form that a runtime gives to
// containers. The runtimes also make groups for the processes that watch a
// container (conmon, lxc.monitor, nspawn's supervisor): those run outside of
// it. tests/fixtures/cgroup-paths.tsv has a path of each form.
#include "source/cgroup_path.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace pfe {
namespace {

// A component of a path with its neighbours, which are empty at the ends.
struct Component {
  std::string_view before_parent;
  std::string_view parent;
  std::string_view name;
  std::string_view child;
};

std::vector<std::string_view> NamesIn(std::string_view path) {
  std::vector<std::string_view> names;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) names.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return names;
}

re2::StringPiece Piece(std::string_view text) {
  return {text.data(), text.size()};
}

// Bytes that are no UTF-8 are characters too.
re2::RE2::Options Bytes() {
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_dot_nl(true);
  options.set_log_errors(false);
  return options;
}

bool IsUnit(std::string_view name) {
  const auto ends = [name](std::string_view type) {
    return name.size() > type.size() && name.ends_with(type);
  };
  return ends(".service") || ends(".scope");
}

// pod<uid> with cgroupfs; kubepods-burstable-pod<uid>.slice, with _ for -, with
// systemd. The latter can have the container behind it: see HexId().
std::string PodOf(std::string_view name) {
  static const re2::RE2 form(
      "(?:.*-)?pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|"
      "[0-9a-f]{32})(?:\\.slice(?::.*)?)?",
      Bytes());
  std::string uid;
  re2::RE2::FullMatch(Piece(name), form, &uid);
  std::replace(uid.begin(), uid.end(), '_', '-');
  return uid;
}

// <id>; with systemd docker-<id>.scope; libpod-payload-<id> below a unit of
// podman. If the runtime does not use the kubelet's driver, its
// "slice:prefix:id" stays one component: kubepods-pod<uid>.slice:crio:<id>.
std::string HexId(const Component& here) {
  static const re2::RE2 form(
      "(?:(?:.*\\.slice:)?(?:docker|cri-containerd|containerd|nerdctl|crio|"
      "libpod|libpod-payload|runc|crun|youki|balena)[-:])?"
      "([0-9a-f]{64})(?:\\.scope)?",
      Bytes());
  // Here the id is that of podman's pod, or of Kata's virtual machine.
  if (here.parent == "libpod_parent" && here.name.size() == 64) return "";
  if (here.parent == "kata_overhead") return "";
  std::string id;
  re2::RE2::FullMatch(Piece(here.name), form, &id);
  return id;
}

// Ids that are not 64 digits: those of Fargate, of a step of a build, and of
// Cloud Foundry.
std::string OtherId(const Component& here) {
  static const re2::RE2 fargate("[0-9a-f]{32}-[0-9]+");
  static const re2::RE2 build("(?:docker-)?([0-9a-z]{25})(?:\\.scope)?");
  static const re2::RE2 garden(
      "[0-9a-f]{8}(?:-[0-9a-f]{4}){4}(?:[0-9a-f]{8})?");
  if (re2::RE2::FullMatch(Piece(here.name), fargate))
    return std::string(here.name);
  std::string id;
  if ((here.parent == "buildkit" || here.name.starts_with("docker-")) &&
      re2::RE2::FullMatch(Piece(here.name), build, &id))
    return id;
  // good and bad: containers that use less and more CPU than they may.
  const bool in_garden = here.parent == "garden" ||
                         (here.before_parent == "garden" &&
                          (here.parent == "good" || here.parent == "bad"));
  if (in_garden && re2::RE2::FullMatch(Piece(here.name), garden))
    return std::string(here.name);
  return "";
}

// Whether a group is that of the process which watches a container: by default
// lxc.monitor.<name>, below a configured directory or pattern also monitor.
bool IsOfLxcMonitor(std::string_view name) {
  return name.starts_with("lxc.monitor") || name.starts_with("lxc.pivot") ||
         name == "monitor" || name.starts_with("monitor-");
}

// lxc.payload.<name>; lxc/<name> and lxc.payload/<name> in other versions and
// in Proxmox.
std::string LxcName(const Component& here) {
  constexpr std::string_view kPayload = "lxc.payload.";
  if (here.name.starts_with(kPayload))
    return std::string(here.name.substr(kPayload.size()));
  const bool holds_containers =
      here.parent == "lxc" ||
      (here.parent == "lxc.payload" && here.before_parent.empty());
  if (!holds_containers || IsOfLxcMonitor(here.child) ||
      here.name.starts_with("lxc.") || IsUnit(here.name) ||
      here.name.ends_with(".slice"))
    return "";
  return std::string(here.name);
}

// Undoes systemd's escapes in the name of a unit: \x2d is -.
std::string UnescapeUnit(std::string_view name) {
  static const re2::RE2 escape("\\\\x([0-9a-f]{2})");
  std::string plain;
  for (size_t i = 0; i < name.size(); ++i) {
    unsigned code = 0;
    if (re2::RE2::FullMatch(Piece(name.substr(i, 4)), escape,
                            re2::RE2::Hex(&code))) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += name[i];
    }
  }
  return plain;
}

// systemd-nspawn@<name>.service and machine-<name>.scope, below which nspawn
// makes the groups "payload" and "supervisor". libvirt registers virtual
// machines in the second form too.
std::string MachineName(const Component& here) {
  static const re2::RE2 form(
      "(?:systemd-nspawn@(.+)\\.service|machine-(.+)\\.scope)", Bytes());
  static const re2::RE2 valid("[0-9A-Za-z][0-9A-Za-z._-]{0,63}");
  static const re2::RE2 virtual_machine("qemu-.*|(?:xen|ch|bhyve)-[0-9]+-.*");
  std::string service, scope;
  if (here.child == "supervisor" ||
      !re2::RE2::FullMatch(Piece(here.name), form, &service, &scope))
    return "";
  std::string name = UnescapeUnit(service + scope);
  if (!re2::RE2::FullMatch(name, valid)) return "";
  const bool may_be_virtual = service.empty() && here.child != "payload";
  if (may_be_virtual && re2::RE2::FullMatch(name, virtual_machine)) return "";
  return name;
}

std::string ContainerOf(const Component& here) {
  for (const auto find : {HexId, OtherId, LxcName, MachineName})
    if (std::string id = find(here); !id.empty()) return id;
  return "";
}

}  // namespace

CgroupInfo ParseCgroupPath(std::string_view path) {
  const std::vector<std::string_view> names = NamesIn(path);
  const auto name_at = [&names](size_t i) {
    return i < names.size() ? names[i] : std::string_view();
  };
  CgroupInfo info;
  for (size_t i = 0; i < names.size(); ++i) {
    // name_at() of a negative index is empty: it wraps around.
    const Component here = {name_at(i - 2), name_at(i - 1), names[i],
                            name_at(i + 1)};
    // systemd puts _ in front of the name of a unit that would be the name of a
    // file of the kernel, such as memory.service (cg_escape()).
    if (IsUnit(here.name))
      info.unit = here.name.substr(here.name.starts_with('_') ? 1 : 0);
    if (std::string uid = PodOf(here.name); !uid.empty()) {
      info.pod_uid = std::move(uid);
      // A container outside of the pod, such as a node of kind, is not the
      // pod's.
      info.container_id.clear();
    }
    if (std::string id = ContainerOf(here); !id.empty())
      info.container_id = std::move(id);
  }
  return info;
}

}  // namespace pfe
