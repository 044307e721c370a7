// SPDX-License-Identifier: Apache-2.0
// What the storms are made of: crowds of processes, settings that are put back,
// control groups, a daemon. tests/README.md says how to add a storm.
//
// Suites by where they run: StormQuick in the default run, StormSlow and
// StormReload (which changes kernel code under load, so that QEMU must be told)
// in the parts storms, debug and soak.
#ifndef TESTS_VM_STORM_KIT_H_
#define TESTS_VM_STORM_KIT_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "subject.h"

namespace pf_test {

constexpr size_t kPage = 4096;

// Processes that do a round without end, until killed.
class Crowd {
 public:
  Crowd(int n, const std::function<void()>& round);
  ~Crowd() { Kill(); }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void Kill();
  const std::vector<pid_t>& pids() const { return pids_; }

 private:
  std::vector<pid_t> pids_;
};

// Runs `work` in n children at once. Returns how each ended.
std::vector<Ended> RunAtOnce(int n, const std::function<void(int)>& work);
// Whether all ended with status 0.
bool AllSucceeded(const std::vector<Ended>& ended);

// Rounds for a Crowd.
void FaultRound();  // 64 pages written, dropped and unmapped
void ForkRound();   // a child that faults and exits
void ReadRound();   // every file of the module

// Twice what reading took: else, where it is slow, some reader always has a
// file open, and there is no unload.
void PauseAfterReading(std::chrono::nanoseconds took);

// Reads a module's file to its end; whether it ended as the contract says, or
// is not there.
bool ReadsWhole(const char* name);

char* MapPages(size_t pages, int extra_flags = 0);
void WritePages(char* memory, size_t pages);

std::string Disk(const std::string& name);
std::string ReadFile(const std::string& path);
bool WriteFile(const std::string& path, const std::string& text);

// A file of /proc or /sys that has another value for a while.
class Setting {
 public:
  Setting(std::string path, const std::string& value);
  ~Setting();
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

  bool set() const { return set_; }

 private:
  std::string path_;
  std::string before_;
  bool set_;
};

// A control group of version 2.
class Cgroup {
 public:
  explicit Cgroup(const std::string& name);
  ~Cgroup();
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;

  bool exists() const { return exists_; }
  bool Set(const std::string& file, const std::string& value) const;
  std::string Get(const std::string& file) const;
  // Moves the calling process into it.
  bool Enter() const;

 private:
  std::string path_;
  bool exists_;
};

// A file to swap to on the disk, in use as long as the object lives.
class SwapFile {
 public:
  explicit SwapFile(size_t megabytes);
  ~SwapFile();
  SwapFile(const SwapFile&) = delete;
  SwapFile& operator=(const SwapFile&) = delete;

  bool on() const { return on_; }

 private:
  bool on_;
};

// The console shows no more than panics: for reports of the kernel's that the
// storm itself asks for, such as those of the OOM killer.
class QuietConsole {
 public:
  QuietConsole() : level_("/proc/sys/kernel/printk", "1") {}

 private:
  Setting level_;
};

// Unloads, however often a reader has a file open; returns the errno.
int UnloadPatiently();
// Unloads and loads with more parameters; returns the errno.
int LoadAfresh(const std::string& parameters = "");

// What the daemon at a port says of itself; empty if it does not answer.
std::string Scrape(int port);
// Waits until /metrics has a line that begins so, some seconds.
bool DaemonSays(int port, const std::string& line);
pid_t StartDaemon(int port);

}  // namespace pf_test

#endif  // TESTS_VM_STORM_KIT_H_
