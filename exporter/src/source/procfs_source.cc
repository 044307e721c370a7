// SPDX-License-Identifier: Apache-2.0
#include "source/procfs_source.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/utf8.h"
#include "source/file.h"

namespace pfe {
namespace {

// Numbers of the fields of `stat` after the comm, as proc(5) counts them. The
// state is field 3.
enum Field {
  kFlags = 9,
  kMinflt = 10,
  kMajflt = 12,
  kNumThreads = 20,
  kStarttime = 22,
  kVsize = 23,
  kRss = 24,
};
constexpr size_t kLongestComm = 1024;
// More than the file /proc/PID/status of a process that is in 65536 groups.
constexpr size_t kMostStatusBytes = 1 << 20;
constexpr uint64_t kKernelThread = 0x00200000;  // PF_KTHREAD, linux/sched.h

// Reads a small file below a directory. Returns -1 and sets errno if it cannot
// be read.
ssize_t ReadSmall(int directory, const char* path, char* buffer, size_t size) {
  const File file(directory, path, O_RDONLY);
  return file.fd() < 0 ? -1 : read(file.fd(), buffer, size);
}

// The number of kB behind a key, as in `meminfo` and `status`. The key includes
// the newline before it and the colon.
std::optional<uint64_t> KilobytesOf(std::string_view text,
                                    std::string_view key) {
  const size_t at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + key.size());
  const size_t digits = text.find_first_not_of(" \t");
  if (digits == std::string_view::npos) return std::nullopt;
  uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data() + digits, text.data() + text.size(), number);
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max() / 1024;
  if (error != std::errc() || number > kMost) return std::nullopt;
  return number;
}

// Parses the fields from 4 to kRss. Negative numbers become 0.
bool ParseFields(std::string_view text, std::array<uint64_t, kRss + 1>* out) {
  const char* at = text.data();
  const char* end = at + text.size();
  for (size_t field = 4; field <= kRss; ++field) {
    if (at == end || *at != ' ') return false;
    ++at;
    int64_t negative = 0;
    uint64_t& number = (*out)[field];
    auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc()) {
      number = 0;
      std::tie(next, error) = [&] {
        const auto result = std::from_chars(at, end, negative);
        return std::pair(result.ptr, result.ec);
      }();
      if (error != std::errc()) return false;
    }
    at = next;
  }
  // Without more text the last number may be cut.
  return at != end && (*at == ' ' || *at == '\n');
}

// Multiplies or adds into *out. Returns false if that overflows.
bool Multiply(uint64_t a, uint64_t b, uint64_t* out) {
  return !__builtin_mul_overflow(a, b, out);
}
bool Add(uint64_t a, uint64_t b, uint64_t* out) {
  return !__builtin_add_overflow(a, b, out);
}

}  // namespace

StatText ParseProcStat(std::string_view text, ProcessTable* table) {
  static const auto tick_ns =
      1000000000u / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  static const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const size_t open = text.find(" (");
  const size_t close = text.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos ||
      close < open + 2 || close + 3 >= text.size() ||
      close - open > kLongestComm)
    return StatText::kMalformed;
  Process process;
  uint64_t rss_bytes = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + open, process.pid);
  std::array<uint64_t, kRss + 1> fields{};
  if (error != std::errc() || end != text.data() + open ||
      !ParseFields(text.substr(close + 3), &fields) ||
      !Add(fields[kMinflt], fields[kMajflt], &process.faults) ||
      !Multiply(fields[kStarttime], tick_ns, &process.start_ns) ||
      !Multiply(fields[kRss], page, &rss_bytes))
    return StatText::kMalformed;
  if (fields[kFlags] & kKernelThread) return StatText::kKernelThread;
  const char state = text[close + 2];
  // A thread group whose leader has exited is shown as a zombie until its last
  // thread exits.
  process.live = state != 'X' && (state != 'Z' || fields[kNumThreads] > 1);
  process.minor = fields[kMinflt];
  process.major = fields[kMajflt];
  process.vma_kb = fields[kVsize] / 1024;
  process.rss_kb = rss_bytes / 1024;
  *table->Add() = process;
  table->SetComm(ToValidUtf8(text.substr(open + 2, close - open - 2)));
  return StatText::kProcess;
}

namespace {

// Reads how much of each process is in huge pages of hugetlb. While the host
// has no such pages, the answer is 0 for all, and no file of a process is read.
class HugetlbReader {
 public:
  HugetlbReader(int procfs, Snapshot* snapshot)
      : procfs_(procfs), snapshot_(snapshot) {
    // If it cannot be read, the files of the processes tell.
    ReadText(procfs_, "meminfo", kMostStatusBytes, &text_);
    const auto pools = KilobytesOf(text_, "\nHugetlb:");
    snapshot_->offered.hugetlb = pools.has_value();
    reads_ = pools != 0;
  }

  // Reads it of the process whose row was added last. Returns the errno of what
  // failed, or 0, also if the process has exited.
  int Read(const std::string& status) {
    if (!reads_) return 0;
    const int error =
        ReadText(procfs_, status.c_str(), kMostStatusBytes, &text_);
    if (error) return IsAbsence(error) ? 0 : error;
    const auto kb = KilobytesOf(text_, "\nHugetlbPages:");
    if (!kb) return 0;
    ProcessTable& table = snapshot_->processes;
    table[table.size() - 1].hugetlb_kb = *kb;
    snapshot_->offered.hugetlb = true;
    return 0;
  }

 private:
  const int procfs_;
  Snapshot* const snapshot_;
  std::string text_;
  bool reads_ = false;
};

// The pid of this process in a procfs, which may be that of another pid
// namespace; 0 if it has none there.
uint32_t OwnPid(int procfs) {
  char text[16];
  const ssize_t n = readlinkat(procfs, "self", text, sizeof(text));
  uint32_t pid = 0;
  if (n > 0) std::from_chars(text, text + n, pid);
  return pid;
}

}  // namespace

ProcfsSource::ProcfsSource(std::string procfs) : procfs_(std::move(procfs)) {}

Error ProcfsSource::Hidden() const {
  return {Cause::kHidden,
          procfs_ +
              ": processes of other users are hidden (hidepid): seeing them "
              "needs CAP_SYS_PTRACE, or the group that the mount's option gid= "
              "names"};
}

Error ProcfsSource::Unreadable(const std::string& file, int error) const {
  if (error == EPERM) return Hidden();
  return {error == EACCES ? Cause::kNoPermission : Cause::kIo,
          procfs_ + file + ": " + strerror(error)};
}

// Every pid namespace has a process 1. If it was not seen, processes are
// hidden.
std::optional<Error> ProcfsSource::CheckComplete(
    int procfs, const ProcessTable& processes) const {
  if (processes.empty())
    return Error{Cause::kIo, procfs_ + ": no process can be read there"};
  if (std::none_of(processes.begin(), processes.end(),
                   [](const Process& process) { return process.pid == 1; }))
    return Hidden();
  if (processes.size() == 1 && OwnPid(procfs) == 1)
    return Error{Cause::kHidden,
                 procfs_ +
                     ": only this process is there: mount the host's /proc "
                     "into the container, and name it by --path.procfs"};
  return std::nullopt;
}

std::optional<Error> ProcfsSource::Read(Snapshot* snapshot) {
  snapshot->Clear();
  snapshot->source = Name();
  snapshot->read_ns = BootTimeNs();
  snapshot->can_miss_processes = true;
  snapshot->offered.severity = true;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(procfs_.c_str()),
                                                      closedir);
  if (!directory) return Unreadable("", errno);
  HugetlbReader hugetlb(dirfd(directory.get()), snapshot);
  // They are in no other pid namespace than the host's.
  bool has_kernel_threads = false;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (!entry && errno) return Unreadable("", errno);
    if (!entry) break;
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    char text[1024];
    const std::string pid = entry->d_name;
    const std::string path = pid + "/stat";
    const ssize_t n =
        ReadSmall(dirfd(directory.get()), path.c_str(), text, sizeof(text));
    if (n < 0 && (errno == ENOENT || errno == ESRCH))
      continue;  // it has exited
    if (n < 0) return Unreadable("/" + path, errno);
    switch (
        ParseProcStat({text, static_cast<size_t>(n)}, &snapshot->processes)) {
      case StatText::kMalformed:
        return Error{Cause::kMalformed,
                     procfs_ + "/" + path + ": the line is not understood"};
      case StatText::kKernelThread:
        has_kernel_threads = true;
        break;
      case StatText::kProcess:
        if (const int error = hugetlb.Read(pid + "/status"))
          return Unreadable("/" + pid + "/status", error);
    }
  }
  if (!has_kernel_threads)
    snapshot->limited =
        procfs_ +
        ": only a container's processes are there; to see the host's, mount "
        "its /proc into the container, and name it by --path.procfs";
  return CheckComplete(dirfd(directory.get()), snapshot->processes);
}

}  // namespace pfe
