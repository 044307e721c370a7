// SPDX-License-Identifier: Apache-2.0
// Reads from /proc what a process is, beyond its name: its program, command
// line, user and control group.
#ifndef EXPORTER_SOURCE_PROCESS_FACTS_H_
#define EXPORTER_SOURCE_PROCESS_FACTS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/process_table.h"

namespace pfe {

// Valid UTF-8. A fact is empty if it was not wanted, the process has none, or
// it cannot be read.
struct ProcessFacts {
  std::string exe;      // the path of the program
  std::string cmdline;  // the arguments with blanks between them
  std::string user;     // the name of the effective user, or the uid
  std::string cgroup;   // the path of the control group
};

struct WantedFacts {
  bool exe = false;
  bool cmdline = false;
  bool user = false;
  bool cgroup = false;
  bool by_systemd = false;  // of the host: see CgroupLayout
};

class FactsReader {
 public:
  // A longer command line is cut.
  static constexpr size_t kMostCmdlineBytes = 4096;

  // Begins a tick: users that could not be looked up are looked up again.
  void Begin();

  // Reads facts of a process in `procfs`. Returns nothing if the process is
  // gone, also if another process has its pid now. Likewise if a fact cannot be
  // read, but may be at another time: see error().
  std::optional<ProcessFacts> Read(const std::string& procfs,
                                   const Process& process,
                                   const WantedFacts& wanted);

  // A sentence that says what the last Read() could not read though it is
  // there, and why.
  const std::string& error() const { return error_; }
  // Whether the next Read() may be able to: a permission, for instance, stays.
  bool may_end() const { return may_end_; }

 private:
  // What is known of a user: the name, or the errno of looking it up.
  struct User {
    std::string name;
    int error = 0;
  };

  static User LookUp(uid_t uid);
  bool Note(int error, const char* file);
  bool ReadExe(int directory, std::string* exe);
  bool ReadFile(int directory, const char* file, size_t limit,
                std::string* text);
  bool IsThere(int directory, const Process& process);
  bool ReadUser(int directory, std::string* user);

  std::string error_;
  bool may_end_ = false;
  ProcessTable scratch_;
  // Names change rarely, and looking one up can ask a server.
  std::unordered_map<uid_t, User> users_;
};

// Whether the programs of other users' processes can be read, which takes
// CAP_SYS_PTRACE. True if there is no such process.
bool CanReadExe(const std::string& procfs);

}  // namespace pfe

#endif  // EXPORTER_SOURCE_PROCESS_FACTS_H_
