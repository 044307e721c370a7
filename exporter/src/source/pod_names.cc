// SPDX-License-Identifier: Apache-2.0
#include "source/pod_names.h"

#include <dirent.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace pfe {
namespace {

constexpr std::string_view kSuffix = ".log";
constexpr size_t kIdSize = 64;
// The kubelet cuts a longer name to this size; such a name still ends with
// kSuffix (kubernetes, pkg/kubelet/kuberuntime/legacy.go: logSymlink(),
// ext4MaxFileNameLen).
constexpr size_t kLongestFileName = 255;

// Kubernetes's names are in lower case (RFC 1123).
bool IsName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
  });
}

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

// The three names between the two underscores. No name contains one.
std::optional<std::array<std::string_view, 3>> Split(std::string_view text) {
  const size_t one = text.find('_');
  const size_t two = one == text.npos ? one : text.find('_', one + 1);
  if (two == text.npos) return {};
  const std::array parts = {text.substr(0, one),
                            text.substr(one + 1, two - one - 1),
                            text.substr(two + 1)};
  if (!std::all_of(parts.begin(), parts.end(), IsName)) return {};
  return parts;
}

// Calls take() with the name of each file. Returns why it cannot, if there is
// such a directory.
template <typename Take>
std::optional<Error> ForEachFile(const std::string& path, Take take) {
  const auto failed = [&path](int why) {
    return Error{
        why == EACCES || why == EPERM ? Cause::kNoPermission : Cause::kIo,
        path + ": " + strerror(why)};
  };
  DIR* const directory = opendir(path.c_str());
  if (!directory) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return failed(errno);
  }
  errno = 0;
  const dirent* file = readdir(directory);
  for (size_t left = PodNames::kMostFiles; file && left > 0; --left) {
    take(std::string_view(file->d_name));
    errno = 0;
    file = readdir(directory);
  }
  const int why = file ? 0 : errno;
  closedir(directory);
  if (why != 0) return failed(why);
  return {};
}

}  // namespace

// kubernetes, pkg/kubelet/kuberuntime/legacy.go, logSymlink():
// <pod>_<namespace>_<container>-<id>.log
std::optional<NamedContainer> ParseContainerLog(std::string_view file) {
  if (file.size() >= kLongestFileName || !file.ends_with(kSuffix)) return {};
  file.remove_suffix(kSuffix.size());
  if (file.size() <= kIdSize) return {};
  const std::string_view id = file.substr(file.size() - kIdSize);
  file.remove_suffix(kIdSize);
  if (!IsHex(id) || !file.ends_with("-")) return {};
  file.remove_suffix(1);
  const auto parts = Split(file);
  if (!parts) return {};
  const auto& [pod, pod_namespace, container] = *parts;
  return NamedContainer{
      id,
      {std::string(pod_namespace), std::string(pod), std::string(container)}};
}

// kubernetes, pkg/kubelet/kuberuntime/helpers.go, BuildPodLogsDirectory():
// <namespace>_<pod>_<uid>
std::optional<NamedPod> ParsePodLogs(std::string_view directory) {
  const auto parts = Split(directory);
  if (!parts) return {};
  const auto& [pod_namespace, pod, uid] = *parts;
  return NamedPod{uid, {std::string(pod_namespace), std::string(pod), ""}};
}

PodNames::PodNames(std::string logs) : logs_(std::move(logs)) {}

void PodNames::Begin(double seconds) {
  now_ += seconds;
  read_in_this_tick_ = false;
  std::erase_if(missing_, [this](const auto& item) {
    return item.second.asked + kPatienceSeconds < now_;
  });
  if (error_ && now_ - read_at_ >= kPauseSeconds) Read();
}

bool PodNames::IsWhole(const CgroupInfo& info, const PodName& name) {
  return (info.pod_uid.empty() && info.container_id.empty()) ||
         (!name.pod.empty() &&
          (info.container_id.empty() || !name.container.empty()));
}

const PodName* PodNames::Find(const std::string& id, Names* names) {
  const auto found = names->find(id);
  if (found == names->end()) return nullptr;
  found->second.used = true;
  return &found->second.name;
}

PodName PodNames::Lookup(const CgroupInfo& info) {
  const PodName* const pod = Find(info.pod_uid, &pods_);
  const PodName* const container = Find(info.container_id, &containers_);
  if (!container) return pod ? *pod : PodName();
  // A file that contradicts the path is not believed.
  const bool same = !pod || (pod->pod_namespace == container->pod_namespace &&
                             pod->pod == container->pod);
  return same ? *container : *pod;
}

// Whether to read the directories for an id that is not known.
bool PodNames::MayBeThere(const std::string& id) {
  if (id.empty()) return false;
  const auto [place, is_new] = missing_.try_emplace(id, Missing{now_, now_});
  place->second.asked = now_;
  return is_new || (now_ - read_at_ >= kPauseSeconds &&
                    now_ - place->second.since <= kPatienceSeconds);
}

PodName PodNames::Of(const CgroupInfo& info) {
  PodName name = Lookup(info);
  if (IsWhole(info, name)) return name;
  const bool pod = name.pod.empty() && MayBeThere(info.pod_uid);
  const bool container =
      name.container.empty() && MayBeThere(info.container_id);
  if ((!pod && !container) || read_in_this_tick_) return name;
  Read();
  return Lookup(info);
}

// An id that two files give to different names has none.
void PodNames::Add(std::string_view id, const PodName& name, Names* names) {
  const auto [place, is_new] =
      names->try_emplace(std::string(id), Known{name, false});
  if (!is_new && place->second.name != name) place->second.name = PodName();
}

// Names that are used are kept, and all if the directory could not be read.
void PodNames::Replace(Names found, bool failed, Names* names) {
  for (auto& [id, known] : *names)
    if ((failed || known.used) && found.size() < kMostFiles)
      found.try_emplace(id, Known{std::move(known.name), failed && known.used});
  *names = std::move(found);
}

void PodNames::Read() {
  read_in_this_tick_ = true;
  read_at_ = now_;
  Names pods, containers;
  auto no_pods = ForEachFile(logs_ + "/pods", [&pods](std::string_view file) {
    if (auto named = ParsePodLogs(file)) Add(named->uid, named->name, &pods);
  });
  auto no_containers =
      ForEachFile(logs_ + "/containers", [&containers](std::string_view file) {
        if (auto named = ParseContainerLog(file))
          Add(named->id, named->name, &containers);
      });
  Replace(std::move(pods), no_pods.has_value(), &pods_);
  Replace(std::move(containers), no_containers.has_value(), &containers_);
  error_ = no_pods ? std::move(no_pods) : std::move(no_containers);
  if (!error_) return;
  for (auto& [id, missing] : missing_) missing.since = now_;
}

}  // namespace pfe
