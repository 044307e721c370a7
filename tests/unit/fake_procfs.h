// SPDX-License-Identifier: Apache-2.0
// A directory with files like those of procfs.
#ifndef TESTS_UNIT_FAKE_PROCFS_H_
#define TESTS_UNIT_FAKE_PROCFS_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/clock.h"

namespace pfe {

class FakeProcesses {
 public:
  FakeProcesses() : root_(testing::TempDir() + "pfe_procfs_XXXXXX") {
    if (!mkdtemp(root_.data())) abort();
  }
  ~FakeProcesses() { std::filesystem::remove_all(root_); }
  FakeProcesses(const FakeProcesses&) = delete;
  FakeProcesses& operator=(const FakeProcesses&) = delete;

  const std::string& root() const { return root_; }
  // Puts a process without any other file than `stat`.
  void Start(uint32_t pid, uint64_t start_ns, char state = 'S') {
    std::filesystem::create_directory(Path(pid, ""));
    Write(pid, "stat", StatOf(pid, start_ns, state));
  }
  // The text of the file `stat`.
  static std::string StatOf(uint32_t pid, uint64_t start_ns, char state = 'S') {
    return std::to_string(pid) + " (x) " + state +
           " 1 2 3 0 -1 0 7 0 8 0 5 6 0 0 20 0 1 0 " +
           std::to_string(start_ns / kProcTickNs) + " 8192000 250 0 1 1 0\n";
  }
  void Write(uint32_t pid, const std::string& name, const std::string& text) {
    std::ofstream(Path(pid, name)) << text;
  }
  // The arguments, each with its zero byte.
  void SetCmdline(uint32_t pid, std::string arguments) {
    for (char& c : arguments)
      if (c == ' ') c = '\0';
    Write(pid, "cmdline", arguments + '\0');
  }
  void SetExe(uint32_t pid, const std::string& target) {
    std::filesystem::remove(Path(pid, "exe"));
    std::filesystem::create_symlink(target, Path(pid, "exe"));
  }
  void Remove(uint32_t pid) { std::filesystem::remove_all(Path(pid, "")); }

 private:
  std::string Path(uint32_t pid, const std::string& name) const {
    return root_ + "/" + std::to_string(pid) + "/" + name;
  }

  std::string root_;
};

}  // namespace pfe

#endif  // TESTS_UNIT_FAKE_PROCFS_H_
