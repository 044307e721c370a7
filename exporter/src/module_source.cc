// SPDX-License-Identifier: Apache-2.0
#include "module_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "boot_time.h"
#include "page_faults.h"
#include "table_parser.h"

namespace pfe {
namespace {

constexpr size_t kFirstBuffer = 1 << 16;

// Closes a file descriptor when it goes out of scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

bool Exists(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 || errno != ENOENT;
}

// Whether debugfs is mounted there: a mount point is on another device than
// its parent. A plain directory with the module's files in it (tests) never
// comes to this question.
bool IsMounted(const std::string& path) {
  struct stat here, above;
  if (stat(path.c_str(), &here) || stat((path + "/..").c_str(), &above))
    return errno == EACCES;
  return here.st_dev != above.st_dev;
}

}  // namespace

ModuleSource::ModuleSource(std::string debugfs)
    : debugfs_(std::move(debugfs)),
      directory_(debugfs_ + "/" PF_DEBUGFS_DIR),
      buffer_(kFirstBuffer, '\0') {}

Error ModuleSource::OpenError(const std::string& path, int error) const {
  if (error == EACCES || error == EPERM)
    return {Cause::kNoPermission,
            path + ": " + strerror(error) +
                ": reading it takes root or CAP_DAC_READ_SEARCH"};
  if (error != ENOENT) return {Cause::kIo, path + ": " + strerror(error)};
  if (Exists(directory_))
    return {Cause::kMalformed, path + ": the module has no such file"};
  if (!IsMounted(debugfs_))
    return {Cause::kNoDebugfs,
            debugfs_ + ": debugfs is not mounted there (mount -t debugfs "
                       "debugfs " + debugfs_ + ")"};
  return {Cause::kNoModule, directory_ +
                                ": no such directory: the module page_faults "
                                "is not loaded (modprobe page_faults)"};
}

// Reads a file to its end into the buffer. seq_file gives at most its own
// buffer a call, so that a short read says nothing.
Result<std::string_view> ModuleSource::ReadFile(const char* name) {
  const std::string path = directory_ + "/" + name;
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return OpenError(path, errno);
  size_t size = 0;
  for (;;) {
    if (size == buffer_.size()) buffer_.resize(buffer_.size() * 2);
    const ssize_t n =
        read(file.get(), buffer_.data() + size, buffer_.size() - size);
    if (n == 0) return std::string_view(buffer_.data(), size);
    if (n > 0) {
      size += static_cast<size_t>(n);
    } else if (errno != EINTR) {
      // The module went away under the open file.
      if (errno == EIO && !Exists(directory_)) return OpenError(path, ENOENT);
      return Error{Cause::kIo, path + ": " + strerror(errno)};
    }
  }
}

Result<Stats> ModuleSource::ReadStats() {
  const auto text = ReadFile(PF_FILE_STATS);
  if (!text.ok()) return text.error();
  return ParseStats(text.value(), directory_ + "/" PF_FILE_STATS);
}

// Absent with latency=0, which is no error.
Result<Latency> ModuleSource::ReadLatency() {
  if (!Exists(directory_ + "/" PF_FILE_LATENCY)) return Latency();
  const auto text = ReadFile(PF_FILE_LATENCY);
  if (!text.ok()) return text.error();
  return ParseLatency(text.value(), directory_ + "/" PF_FILE_LATENCY);
}

Result<Snapshot> ModuleSource::Read() {
  const uint64_t read_ns = BootTimeNs();
  // Before the table: a row that goes between the two is then missing from the
  // retired sums for one tick, rather than in both.
  Result<Stats> stats = ReadStats();
  // Without a table there is a better reason than that.
  if (!stats.ok() && Exists(directory_ + "/" PF_FILE_PROCESSES))
    return stats.error();
  const auto table = ReadFile(PF_FILE_PROCESSES);
  if (!table.ok()) return table.error();
  Result<Snapshot> parsed =
      ParseTable(table.value(), directory_ + "/" PF_FILE_PROCESSES);
  if (!parsed.ok()) return parsed;
  if (!stats.ok()) return stats.error();
  Result<Latency> latency = ReadLatency();
  if (!latency.ok()) return latency.error();
  Snapshot& snapshot = parsed.value();
  snapshot.source = Name();
  snapshot.read_ns = read_ns;
  snapshot.stats = std::move(stats.value());
  snapshot.latency = std::move(latency.value());
  const auto loaded = snapshot.stats.numbers.find(PF_KEY_LOADED_NS);
  if (loaded != snapshot.stats.numbers.end())
    snapshot.epoch = static_cast<uint64_t>(loaded->second);
  return parsed;
}

}  // namespace pfe
