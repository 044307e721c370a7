// SPDX-License-Identifier: Apache-2.0
#include "profile/root_directory.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>
#include <string_view>

namespace pfe {
namespace {

constexpr size_t kMostMountsBytes = 1 << 20;
constexpr size_t kMostFdInfoBytes = 4096;

constexpr const char* kOverlay = "overlay";
// Of which a read ends, does nothing else, and needs no other process or host.
constexpr std::array<std::string_view, 20> kLocal = {
    "ext2",   "ext3",     "ext4",  "xfs",      "btrfs", "tmpfs",  "ramfs",
    "rootfs", "squashfs", "erofs", "f2fs",     "vfat",  "msdos",  "exfat",
    "ntfs3",  "iso9660",  "zfs",   "bcachefs", "jfs",   "nilfs2",
};

// A line such as "36 35 98:0 /a /b rw,noatime shared:1 - ext4 /dev/sda1 rw".
struct Mount {
  std::string id, device, type;
};

template <typename Use>
void ForEachMount(const std::string& path, const Use& use) {
  std::string text;
  if (ReadText(AT_FDCWD, path.c_str(), kMostMountsBytes, &text) != 0) return;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    Mount mount;
    std::string parent, word;
    fields >> mount.id >> parent >> mount.device;
    while (fields >> word && word != "-") {
    }
    if (fields >> mount.type) use(mount);
  }
}

// What the kernel says of a descriptor, without asking the file system.
std::string InfoOf(int fd) {
  std::string text;
  ReadText(AT_FDCWD, ("/proc/self/fdinfo/" + std::to_string(fd)).c_str(),
           kMostFdInfoBytes, &text);
  return text;
}

// The value in a line "key:\tvalue"; empty if there is none.
std::string ValueOf(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(key + ":\t")) return line.substr(key.size() + 2);
  return "";
}

}  // namespace

RootDirectory::RootDirectory(const std::string& path, const std::string& mounts,
                             const std::string& host)
    : directory_(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY) {
  if (!good()) return;
  std::set<std::string> overlays;
  ForEachMount(host, [&overlays](const Mount& mount) {
    if (mount.type == kOverlay) overlays.insert(mount.device);
  });
  ForEachMount(mounts, [&](const Mount& mount) {
    if (mount.type == kOverlay ? overlays.contains(mount.device)
                               : std::find(kLocal.begin(), kLocal.end(),
                                           mount.type) != kLocal.end())
      local_.insert(mount.id);
  });
}

// Mounts of two namespaces have different ids. Before 5.14 there is no inode
// number.
std::string RootDirectory::Key() const {
  const std::string info = InfoOf(directory_.fd());
  const std::string inode = ValueOf(info, "ino");
  return inode.empty() ? "" : ValueOf(info, "mnt_id") + ':' + inode;
}

bool RootDirectory::IsLocal(int fd) const {
  return local_.contains(ValueOf(InfoOf(fd), "mnt_id"));
}

int RootDirectory::Find(const std::string& path) const {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  const auto open = [&](uint64_t resolve) {
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve;
    return static_cast<int>(
        syscall(SYS_openat2, directory_.fd(), path.c_str(), &how, sizeof(how)));
  };
  const int fd = open(RESOLVE_CACHED);
  if (fd >= 0 || errno != EAGAIN || !IsLocal(directory_.fd())) return fd;
  return open(RESOLVE_NO_XDEV);
}

int RootDirectory::Open(const std::string& path) const {
  const int place = Find(path);
  if (place < 0) return -1;
  struct stat status {};
  int fd = -1;
  if (IsLocal(place) && fstat(place, &status) == 0 && S_ISREG(status.st_mode) &&
      status.st_size > 0)
    fd = open(("/proc/self/fd/" + std::to_string(place)).c_str(),
              O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  close(place);
  return fd;
}

}  // namespace pfe
