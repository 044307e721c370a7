// SPDX-License-Identifier: Apache-2.0
#include "source/procfs_source.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
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
  if (error != std::errc()) return std::nullopt;
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
  return true;
}

}  // namespace

bool ParseProcStat(std::string_view text, ProcessTable* table) {
  static const auto ticks = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  static const auto page_kb =
      static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) / 1024;
  const size_t open = text.find(" (");
  const size_t close = text.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos ||
      close < open + 2 || close + 3 >= text.size())
    return false;
  uint32_t pid = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + open, pid);
  std::array<uint64_t, kRss + 1> fields{};
  if (error != std::errc() || end != text.data() + open ||
      !ParseFields(text.substr(close + 3), &fields) ||
      (fields[kFlags] & kKernelThread) || close - open > kLongestComm)
    return false;
  Process* const process = table->Add();
  const char state = text[close + 2];
  process->pid = pid;
  // A thread group whose leader has exited is shown as a zombie until its last
  // thread exits.
  process->live = state != 'X' && (state != 'Z' || fields[kNumThreads] > 1);
  process->minor = fields[kMinflt];
  process->major = fields[kMajflt];
  process->faults = process->minor + process->major;
  process->start_ns = fields[kStarttime] * (1000000000u / ticks);
  process->vma_kb = fields[kVsize] / 1024;
  process->rss_kb = fields[kRss] * page_kb;
  table->SetComm(ToValidUtf8(text.substr(open + 2, close - open - 2)));
  return true;
}

namespace {

// Reads how much of each process is in huge pages of hugetlb. While the host
// has no such pages, the answer is 0 for all, and no file of a process is read.
class HugetlbReader {
 public:
  HugetlbReader(int procfs, Snapshot* snapshot)
      : procfs_(procfs), snapshot_(snapshot) {
    const auto pools = Kilobytes("meminfo", "\nHugetlb:");
    snapshot_->offered.hugetlb = pools.has_value();
    reads_ = pools != 0;
  }

  // Reads it of the process whose row was added last.
  void Read(const char* pid) {
    if (!reads_) return;
    const auto kb = Kilobytes(std::string(pid) + "/status", "\nHugetlbPages:");
    if (!kb) return;
    ProcessTable& table = snapshot_->processes;
    table[table.size() - 1].hugetlb_kb = *kb;
    snapshot_->offered.hugetlb = true;
  }

 private:
  std::optional<uint64_t> Kilobytes(const std::string& path,
                                    std::string_view key) {
    char text[16384];
    const ssize_t n = ReadSmall(procfs_, path.c_str(), text, sizeof(text));
    if (n <= 0) return std::nullopt;
    return KilobytesOf({text, static_cast<size_t>(n)}, key);
  }

  const int procfs_;
  Snapshot* const snapshot_;
  bool reads_ = false;
};

// Whether a procfs is that of the host. Kernel threads are in no other pid
// namespace; the one that starts them is process 2.
bool HasKernelThreads(int procfs) {
  char text[64];
  const ssize_t n = ReadSmall(procfs, "2/stat", text, sizeof(text));
  return n > 0 && std::string_view(text, static_cast<size_t>(n))
                      .starts_with("2 (kthreadd) ");
}

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
  char path[sizeof(dirent::d_name) + 8];
  char text[1024];
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (!entry && errno) return Unreadable("", errno);
    if (!entry) break;
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    snprintf(path, sizeof(path), "%s/stat", entry->d_name);
    const ssize_t n =
        ReadSmall(dirfd(directory.get()), path, text, sizeof(text));
    const int error = n < 0 ? errno : 0;
    if (error && error != ENOENT && error != ESRCH)  // it has not exited
      return Unreadable(std::string("/") + path, error);
    if (n > 0 &&
        ParseProcStat({text, static_cast<size_t>(n)}, &snapshot->processes))
      hugetlb.Read(entry->d_name);
  }
  if (!HasKernelThreads(dirfd(directory.get())))
    snapshot->limited =
        procfs_ +
        ": only a container's processes are there; to see the host's, mount "
        "its /proc into the container, and name it by --path.procfs";
  return CheckComplete(dirfd(directory.get()), snapshot->processes);
}

}  // namespace pfe
