// SPDX-License-Identifier: Apache-2.0
#include "subject.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "page_faults.h"

namespace pf_test {
namespace {

std::string Slurp(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The number behind "Name:" at the start of a line.
uint64_t KeyedNumber(const std::string& text, const std::string& name) {
  const size_t at = ("\n" + text).find("\n" + name + ":");
  return at == std::string::npos
             ? 0
             : strtoull(text.c_str() + at + name.size() + 1, nullptr, 10);
}

void ReadFaults(const std::string& stat, ProcessInfo* info) {
  const size_t close = stat.rfind(')');
  if (close == std::string::npos) return;
  std::stringstream fields(stat.substr(close + 2));
  std::string skipped;
  for (int i = 0; i < 7; ++i) fields >> skipped;
  uint64_t children_minor;
  fields >> info->minor >> children_minor >> info->major;
  info->exists = true;
}

std::string Compare(const Row& row, uint64_t minor, uint64_t major) {
  if (row.Number(PF_COL_MINOR) == minor && row.Number(PF_COL_MAJOR) == major)
    return "";
  return "row: minor " + row.Text(PF_COL_MINOR) + " major " +
         row.Text(PF_COL_MAJOR) + ", kernel: minor " + std::to_string(minor) +
         " major " + std::to_string(major);
}

}  // namespace

ProcessInfo ReadProcess(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/";
  ProcessInfo info;
  ReadFaults(Slurp(directory + "stat"), &info);
  const std::string status = Slurp(directory + "status");
  info.vma_kb = KeyedNumber(status, "VmSize");
  info.swap_kb = KeyedNumber(status, "VmSwap");
  info.hugetlb_kb = KeyedNumber(status, "HugetlbPages");
  const std::string rollup = Slurp(directory + "smaps_rollup");
  info.rss_kb = KeyedNumber(rollup, "Rss");
  info.anon_kb = KeyedNumber(rollup, "Anonymous");
  return info;
}

uint64_t MemInfo(const std::string& key) {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind(key + ":", 0) == 0)
      return strtoull(line.c_str() + key.size() + 1, nullptr, 10);
  return 0;
}

Subject::Subject(const Work& prepare, const Work& act) {
  int to_child[2], from_child[2];
  if (pipe(to_child) || pipe(from_child)) abort();
  pid_ = fork();
  if (pid_ == 0) {
    close(to_child[1]);
    close(from_child[0]);
    char byte = 0;
    prepare();
    // One write and one read here, so that those after the act fault nothing
    // in.
    if (write(from_child[1], &byte, 1) != 1) _exit(1);
    if (read(to_child[0], &byte, 1) != 1) _exit(1);
    act();
    if (write(from_child[1], &byte, 1) != 1) _exit(1);
    if (read(to_child[0], &byte, 1) != 1) _exit(1);
    _exit(0);
  }
  close(to_child[0]);
  close(from_child[1]);
  to_child_ = to_child[1];
  from_child_ = from_child[0];
  WaitUntilStill();
}

Subject::~Subject() {
  if (!ended_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(to_child_);
  close(from_child_);
}

void Subject::WaitUntilStill() {
  char byte;
  EXPECT_EQ(read(from_child_, &byte, 1), 1) << "the subject died";
  // The child has written. It stands still when it sleeps in its next read.
  EXPECT_TRUE(Eventually([this] {
    const std::string stat = Slurp("/proc/" + std::to_string(pid_) + "/stat");
    const size_t close = stat.rfind(')');
    return close == std::string::npos || stat[close + 2] == 'S';
  })) << "the subject does not sleep";
}

void Subject::Act() {
  char byte = 0;
  ASSERT_EQ(write(to_child_, &byte, 1), 1);
  WaitUntilStill();
}

rusage Subject::End() {
  char byte = 0;
  rusage usage{};
  int status;
  EXPECT_EQ(write(to_child_, &byte, 1), 1);
  EXPECT_EQ(wait4(pid_, &status, 0, &usage), pid_);
  EXPECT_EQ(status, 0);
  ended_ = true;
  return usage;
}

Ended RunToEnd(const std::function<void()>& work) {
  Ended ended{};
  ended.pid = fork();
  if (ended.pid == 0) {
    work();
    _exit(0);
  }
  EXPECT_EQ(wait4(ended.pid, &ended.status, 0, &ended.usage), ended.pid);
  return ended;
}

std::string RowError(pid_t pid) {
  const Table table = ReadTable();
  const Row* row = table.FindOne(pid);
  if (!row) return "no row";
  if (row->Text(PF_COL_STATE) != PF_STATE_LIVE) return "the row is not live";
  const ProcessInfo process = ReadProcess(pid);
  return Compare(*row, process.minor, process.major);
}

std::string EndedRowError(const Ended& ended) {
  const Table table = ReadTable();
  const Row* row = table.FindOne(ended.pid);
  if (!row) return "no row";
  if (row->Text(PF_COL_STATE) != PF_STATE_EXITED)
    return "the row is not exited";
  return Compare(*row, static_cast<uint64_t>(ended.usage.ru_minflt),
                 static_cast<uint64_t>(ended.usage.ru_majflt));
}

bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    usleep(2000);
  }
  return true;
}

}  // namespace pf_test
