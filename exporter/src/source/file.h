// SPDX-License-Identifier: Apache-2.0
// Opens and reads files by file descriptors: a stream throws if a process exits
// between open and read of its file.
#ifndef EXPORTER_SOURCE_FILE_H_
#define EXPORTER_SOURCE_FILE_H_

#include <fcntl.h>
#include <unistd.h>

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

// Reads at most `limit` bytes of a file; empty if it cannot be read.
inline std::string ReadText(int directory, const char* path, size_t limit) {
  const File file(directory, path, O_RDONLY);
  std::string text(limit, '\0');
  size_t size = 0;
  ssize_t n = 0;
  while (size < limit &&
         (n = read(file.fd(), text.data() + size, limit - size)) > 0)
    size += static_cast<size_t>(n);
  text.resize(size);
  return text;
}

}  // namespace pfe

#endif  // EXPORTER_SOURCE_FILE_H_
