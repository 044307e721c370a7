// SPDX-License-Identifier: Apache-2.0
#include "source/module_source.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "base/clock.h"
#include "page_faults.h"
#include "source/file.h"
#include "source/stats_parser.h"
#include "source/table_parser.h"

namespace pfe {
namespace {

constexpr size_t kBuffer = 1 << 16;
constexpr size_t kLargestWhole = 1 << 20;  // of `stats` and `latency`

bool Exists(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 || errno != ENOENT;
}

// Whether debugfs is mounted at a path: a mount point is on another device than
// its parent. Only asked when the module's directory is missing, so that tests
// can put its files into a plain directory.
bool IsMounted(const std::string& path) {
  struct stat here, above;
  if (stat(path.c_str(), &here) || stat((path + "/..").c_str(), &above))
    return errno == EACCES;
  return here.st_dev != above.st_dev;
}

bool AreSame(int one, int other) {
  struct stat a, b;
  return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

}  // namespace

ModuleSource::ModuleSource(std::string debugfs)
    : debugfs_(std::move(debugfs)),
      directory_(debugfs_ + "/" PF_DEBUGFS_DIR),
      buffer_(kBuffer, '\0') {}

Error ModuleSource::OpenError(const std::string& path, int error) const {
  if (error == EACCES || error == EPERM)
    return {Cause::kNoPermission,
            path + ": " + strerror(error) +
                ": reading it takes root or CAP_DAC_READ_SEARCH"};
  if (error == ENXIO)
    return {Cause::kNoModule, path + ": the module is being unloaded"};
  if (error != ENOENT) return {Cause::kIo, path + ": " + strerror(error)};
  if (Exists(directory_))
    return {Cause::kMalformed, path + ": the module has no such file"};
  if (!IsMounted(debugfs_))
    return {Cause::kNoDebugfs,
            debugfs_ +
                ": debugfs is not mounted there (mount -t debugfs "
                "debugfs " +
                debugfs_ + ")"};
  return {Cause::kNoModule, directory_ +
                                ": no such directory: the module page_faults "
                                "is not loaded (modprobe page_faults)"};
}

// Passes a file to `take` in pieces. A short read does not mean the end of the
// file: seq_file returns at most its own buffer in a call.
std::optional<Error> ModuleSource::ReadPieces(int directory, const char* name,
                                              const Taker& take) {
  const File file(directory, name, O_RDONLY);
  if (file.fd() < 0) return OpenError(PathOf(name), errno);
  size_t size = 0;
  for (;;) {
    const ssize_t n =
        read(file.fd(), buffer_.data() + size, buffer_.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      // The module was unloaded while the file was open.
      if (errno == EIO && !Exists(directory_))
        return OpenError(PathOf(name), ENOENT);
      return Error{Cause::kIo, PathOf(name) + ": " + strerror(errno)};
    }
    size += static_cast<size_t>(n);
    if (n > 0 && size < buffer_.size()) continue;
    if (auto error = take(std::string_view(buffer_.data(), size))) return error;
    if (n == 0) return std::nullopt;
    size = 0;
  }
}

Result<std::string> ModuleSource::ReadWhole(int directory, const char* name) {
  std::string text;
  const auto take = [&](std::string_view piece) -> std::optional<Error> {
    if (text.size() + piece.size() > kLargestWhole)
      return Error{Cause::kMalformed, PathOf(name) + ": it is too large"};
    text += piece;
    return std::nullopt;
  };
  if (auto error = ReadPieces(directory, name, take)) return *error;
  return text;
}

std::optional<Error> ModuleSource::ReadTable(int directory,
                                             Snapshot* snapshot) {
  const std::string path = PathOf(PF_FILE_PROCESSES);
  TableParser parser(path, snapshot);
  if (auto error = ReadPieces(
          directory, PF_FILE_PROCESSES,
          [&parser](std::string_view piece) { return parser.Feed(piece); }))
    return error;
  return parser.Finish();
}

// The file is absent if the module runs with latency=0; that is no error.
std::optional<Error> ModuleSource::ReadLatency(int directory,
                                               Snapshot* snapshot) {
  struct stat status;
  if (fstatat(directory, PF_FILE_LATENCY, &status, 0) && errno == ENOENT)
    return std::nullopt;
  const auto text = ReadWhole(directory, PF_FILE_LATENCY);
  if (!text.ok()) return text.error();
  Result<Latency> latency = ParseLatency(text.value(), PathOf(PF_FILE_LATENCY));
  if (!latency.ok()) return latency.error();
  snapshot->latency = std::move(latency.value());
  return std::nullopt;
}

std::optional<Error> ModuleSource::ReadLoad(int directory, Snapshot* snapshot) {
  snapshot->Clear();
  snapshot->source = Name();
  snapshot->read_ns = BootTimeNs();
  // `stats` is read before the table. A row that is retired between the two
  // reads is then missing from the retired sums for one tick; in the other
  // order it would be counted in both.
  const auto text = ReadWhole(directory, PF_FILE_STATS);
  Result<Stats> stats = text.ok()
                            ? ParseStats(text.value(), PathOf(PF_FILE_STATS))
                            : Result<Stats>(text.error());
  // If the table is missing too, opening it gives the better message.
  struct stat status;
  if (!stats.ok() && fstatat(directory, PF_FILE_PROCESSES, &status, 0) == 0)
    return stats.error();
  if (auto error = ReadTable(directory, snapshot)) return error;
  if (!stats.ok()) return stats.error();
  if (auto error = ReadLatency(directory, snapshot)) return error;
  snapshot->host = stats.value().host;
  snapshot->module = std::move(stats.value().module);
  snapshot->epoch = static_cast<uint64_t>(
      (*snapshot->module)[ModuleNumber::kLoadedNs].value_or(0));
  return std::nullopt;
}

std::optional<Error> ModuleSource::Read(Snapshot* snapshot) {
  // When the module is unloaded, its directory is removed. Files opened through
  // this descriptor are therefore never those of the next load.
  const auto open_directory = [this] {
    return File(AT_FDCWD, directory_.c_str(), O_PATH | O_DIRECTORY);
  };
  const File directory = open_directory();
  if (directory.fd() < 0) return OpenError(directory_, errno);
  auto error = ReadLoad(directory.fd(), snapshot);
  if (!error) return std::nullopt;
  const File again = open_directory();
  if (again.fd() < 0 || AreSame(directory.fd(), again.fd())) return error;
  return ReadLoad(again.fd(), snapshot);
}

}  // namespace pfe
