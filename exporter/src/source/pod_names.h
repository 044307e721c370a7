// SPDX-License-Identifier: Apache-2.0
// The names that Kubernetes gives to pods and containers, by the ids that the
// paths of control groups have. The kubelet names the files of logs after them:
//
//   pods/<namespace>_<pod>_<uid>
//   containers/<pod>_<namespace>_<container>-<id>.log
//
// So they are known without asking Kubernetes. Only the names of the files are
// read, never a file: a link that points nowhere is as good.
#ifndef EXPORTER_SOURCE_POD_NAMES_H_
#define EXPORTER_SOURCE_POD_NAMES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "source/cgroup_path.h"

namespace pfe {

// What is not known is empty.
struct PodName {
  std::string pod_namespace;
  std::string pod;
  std::string container;

  bool operator==(const PodName&) const = default;
};

// What the name of a file in containers/ says, and the id of the container;
// nothing if the kubelet has not made this name, or may have cut it.
struct NamedContainer {
  std::string_view id;
  PodName name;
};
std::optional<NamedContainer> ParseContainerLog(std::string_view file);

// Likewise of a directory in pods/.
struct NamedPod {
  std::string_view uid;
  PodName name;
};
std::optional<NamedPod> ParsePodLogs(std::string_view directory);

// For one thread. It reads the directories when it is asked for an id that is
// new, and again after a while for one that was not found: the kubelet makes
// the link only after the container has started.
class PodNames {
 public:
  // The most files of a directory that are read.
  static constexpr size_t kMostFiles = 100000;
  // The directories are not read more often than this for an id that was not
  // found, and for kPatienceSeconds in all. The container that holds a pod's
  // namespaces never has a name. After an error they are read again in this
  // time, and the patience begins anew.
  static constexpr double kPauseSeconds = 5;
  static constexpr double kPatienceSeconds = 60;

  // `logs` is the kubelet's /var/log.
  explicit PodNames(std::string logs);

  // Begins a tick, `seconds` after the one before. In a tick the directories
  // are read at most once. What a directory that cannot be read said before
  // stays known.
  void Begin(double seconds);
  // What is known of the pod and the container.
  PodName Of(const CgroupInfo& info);
  // Whether all is known that Of() can say.
  static bool IsWhole(const CgroupInfo& info, const PodName& name);

  // Why a directory could not be read, when it was last read. Hosts without
  // Kubernetes do not have the directories; this is no error.
  const std::optional<Error>& error() const { return error_; }

 private:
  // A name is kept while it is used, also when its file has gone.
  struct Known {
    PodName name;
    bool used = false;
  };
  using Names = std::unordered_map<std::string, Known>;
  // An id that was not found.
  struct Missing {
    double since = 0;  // or since the last error
    double asked = 0;
  };

  static const PodName* Find(const std::string& id, Names* names);
  static void Add(std::string_view id, const PodName& name, Names* names);
  static void Replace(Names found, bool failed, Names* names);
  PodName Lookup(const CgroupInfo& info);
  bool MayBeThere(const std::string& id);
  void Read();

  const std::string logs_;
  Names pods_;        // by uid
  Names containers_;  // by id
  std::unordered_map<std::string, Missing> missing_;
  double now_ = 0;
  double read_at_ = 0;
  bool read_in_this_tick_ = false;
  std::optional<Error> error_;
};

}  // namespace pfe

#endif  // EXPORTER_SOURCE_POD_NAMES_H_
