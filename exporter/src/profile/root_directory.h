// SPDX-License-Identifier: Apache-2.0
// Opens files below the root directory of a process, whose paths and file
// systems somebody else chose.
#ifndef EXPORTER_PROFILE_ROOT_DIRECTORY_H_
#define EXPORTER_PROFILE_ROOT_DIRECTORY_H_

#include <set>
#include <string>

#include "source/file.h"

namespace pfe {

// Only files of local disks are opened, and no other file system is asked for
// anything: a FUSE server, or one of a network, that does not answer would hang
// the caller, whom no signal ends then. So paths are resolved by what the
// kernel has in memory (RESOLVE_CACHED), or within the mount of the root
// directory; and the table of mounts says what file system the result is on.
//
// Thread safety: immutable.
class RootDirectory {
 public:
  // `path` is that of the directory, `mounts` that of the table of its mounts
  // (proc(5), /proc/PID/mountinfo). An overlayfs is a local disk if it is among
  // the mounts of `host` too: a user can make one of a FUSE file system, but
  // only in a mount namespace of his own.
  RootDirectory(const std::string& path, const std::string& mounts,
                const std::string& host);

  // False if the process is gone.
  bool good() const { return directory_.fd() >= 0; }
  // Tells it from other root directories, with what is mounted below it; empty
  // if that is not known.
  std::string Key() const;
  // Opens a regular file; no link leads out of the directory. What is at the
  // path is looked at before it is opened, because opening a device can do
  // something, and opening a FIFO waits. Returns a negative number if there is
  // no such file.
  int Open(const std::string& path) const;

 private:
  bool IsLocal(int fd) const;
  int Find(const std::string& path) const;

  const File directory_;
  std::set<std::string> local_;  // mount ids
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_ROOT_DIRECTORY_H_
