// SPDX-License-Identifier: Apache-2.0
// Opens and reads files by file descriptors: a stream throws if a process exits
// between open and read of its file.
#ifndef EXPORTER_SOURCE_FILE_H_
#define EXPORTER_SOURCE_FILE_H_

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>

namespace pfe {

// An open file, which is closed at the end.
class File {
 public:
  // `directory` is a descriptor or AT_FDCWD. If the file cannot be opened, fd()
  // is negative, and errno says why.
  File(int directory, const char* path, int flags)
      : fd_(openat(directory, path, flags | O_CLOEXEC)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

// Whether an errno says that the file does not exist, or that its process or
// control group is gone. Any other errno says neither.
inline bool IsAbsence(int error) {
  return error == ENOENT || error == ENOTDIR || error == ESRCH ||
         error == ENODEV;
}

// Reads at most `limit` bytes of a file. Returns the errno of what failed, or
// 0; then `text` has what was read before.
inline int ReadText(int directory, const char* path, size_t limit,
                    std::string* text) {
  text->clear();
  const File file(directory, path, O_RDONLY);
  if (file.fd() < 0) return errno;
  constexpr size_t kStart = 4096;
  size_t size = 0;
  ssize_t n = 1;
  while (n > 0 && size < limit) {
    if (size == text->size())
      text->resize(std::min(limit, std::max(kStart, 2 * size)));
    n = read(file.fd(), text->data() + size, text->size() - size);
    if (n > 0) size += static_cast<size_t>(n);
  }
  text->resize(size);
  return n < 0 ? errno : 0;
}

}  // namespace pfe

#endif  // EXPORTER_SOURCE_FILE_H_
