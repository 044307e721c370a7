// SPDX-License-Identifier: Apache-2.0
#include "source/process_facts.h"

#include <dirent.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/utf8.h"
#include "source/cgroup_reader.h"
#include "source/file.h"
#include "source/procfs_source.h"

namespace pfe {
namespace {

// A user namespace can produce any number of uids. At this many entries the
// cache is cleared.
constexpr size_t kMostUsers = 10000;

// Each argument ends with a zero byte. A process that overwrites them with a
// title leaves more of these behind the title.
std::string CmdlineOf(std::string text) {
  if (text.size() == FactsReader::kMostCmdlineBytes)
    text.resize(WithoutCutEnd(text).size());
  text.resize(text.find_last_not_of('\0') + 1);
  std::replace(text.begin(), text.end(), '\0', ' ');
  return ToValidUtf8(text);
}

}  // namespace

// The name of a user, or the uid if there is none. It cannot be looked up if a
// server does not answer, for example.
FactsReader::User FactsReader::LookUp(uid_t uid) {
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  const int error =
      getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  if (found && *found->pw_name) return {ToValidUtf8(found->pw_name)};
  // What stands for "no such user": getpwnam(3).
  const bool none = error == 0 || error == ENOENT || error == ESRCH ||
                    error == EBADF || error == EPERM;
  return {std::to_string(uid), none ? 0 : error};
}

void FactsReader::Begin() {
  std::erase_if(users_,
                [](const auto& item) { return item.second.error != 0; });
}

// The owner of the directory of a process is its effective user, whereas the
// owner of its files is root if the process cannot be dumped (proc(5)).
bool FactsReader::ReadUser(int directory, std::string* user) {
  struct stat owner {};
  if (fstat(directory, &owner) != 0) return Note(errno, "");
  if (users_.size() == kMostUsers) users_.clear();
  const auto [known, is_new] = users_.try_emplace(owner.st_uid);
  if (is_new) known->second = LookUp(owner.st_uid);
  *user = known->second.name;
  const int error = known->second.error;
  if (error == 0) return true;
  error_ = std::string("users cannot be looked up: ") + strerror(error);
  may_end_ = true;
  return false;
}

// Takes the errno of reading a file of the process, or 0. Returns whether the
// process can be named without the file: it does not exist, the daemon may not
// read it, or the path that it shows is longer than the kernel can say. Any
// other errno ends the read of the process. The sentence is the same for all
// processes, so that it is logged once.
bool FactsReader::Note(int error, const char* file) {
  if (error == 0 || IsAbsence(error)) return true;
  error_ = std::string("processes cannot be looked at: /proc/PID/") + file +
           ": " + strerror(error);
  const bool stays = error == EACCES || error == EPERM || error == ENAMETOOLONG;
  may_end_ |= !stays;
  return stays;
}

bool FactsReader::ReadExe(int directory, std::string* exe) {
  constexpr std::string_view kDeleted = " (deleted)";
  std::array<char, 4096> path;
  const ssize_t n = readlinkat(directory, "exe", path.data(), path.size());
  if (n < 0) return Note(errno, "exe");
  std::string_view text(path.data(), static_cast<size_t>(n));
  if (text.ends_with(kDeleted)) text.remove_suffix(kDeleted.size());
  *exe = ToValidUtf8(text);
  return true;
}

bool FactsReader::ReadFile(int directory, const char* file, size_t limit,
                           std::string* text) {
  return Note(ReadText(directory, file, limit, text), file);
}

// Whether the directory is that of the process, which has not exited, and not
// of a later one with its pid.
bool FactsReader::IsThere(int directory, const Process& process) {
  scratch_.Clear();
  std::string text;
  return ReadFile(directory, "stat", 1024, &text) &&
         ParseProcStat(text, &scratch_) == StatText::kProcess &&
         scratch_[0].live &&
         scratch_[0].start_ns / kProcTickNs == process.start_ns / kProcTickNs;
}

std::optional<ProcessFacts> FactsReader::Read(const std::string& procfs,
                                              const Process& process,
                                              const WantedFacts& wanted) {
  // All files are read from one directory, which never becomes that of another
  // process.
  error_.clear();
  may_end_ = false;
  const File directory(AT_FDCWD,
                       (procfs + "/" + std::to_string(process.pid)).c_str(),
                       O_PATH | O_DIRECTORY);
  if (directory.fd() < 0) {
    Note(errno, "");
    return std::nullopt;
  }
  ProcessFacts facts;
  std::string text;
  if (wanted.exe && !ReadExe(directory.fd(), &facts.exe)) return std::nullopt;
  if (wanted.cmdline) {
    if (!ReadFile(directory.fd(), "cmdline", kMostCmdlineBytes, &text))
      return std::nullopt;
    facts.cmdline = CmdlineOf(std::move(text));
  }
  if (wanted.user && !ReadUser(directory.fd(), &facts.user))
    return std::nullopt;
  if (wanted.cgroup) {
    if (!ReadFile(directory.fd(), "cgroup", kMostCgroupBytes, &text))
      return std::nullopt;
    facts.cgroup = CgroupPathOf(text, wanted.by_systemd);
  }
  // Checked last: what was read is then of the time when it was there.
  if (!IsThere(directory.fd(), process)) return std::nullopt;
  return facts;
}

bool CanReadExe(const std::string& procfs) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(procfs.c_str()),
                                                      closedir);
  if (!directory) return true;  // then reading the source tells what is wrong
  char target[1];
  bool denied = false;
  while (const dirent* entry = readdir(directory.get())) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    const File process(dirfd(directory.get()), entry->d_name,
                       O_PATH | O_DIRECTORY);
    struct stat owner {};
    if (fstat(process.fd(), &owner) != 0 || owner.st_uid == geteuid()) continue;
    // A single process can be out of reach of every capability, and kernel
    // threads have no program.
    if (readlinkat(process.fd(), "exe", target, sizeof(target)) > 0)
      return true;
    denied |= errno == EACCES || errno == EPERM;
  }
  return !denied;
}

}  // namespace pfe
