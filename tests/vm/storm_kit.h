// SPDX-License-Identifier: Apache-2.0
// The building blocks of the storms: crowds of processes, settings that are
// restored, control groups, a daemon. tests/README.md says how to add a storm.
//
// StormQuick runs in the default run. StormSlow and StormReload run in the
// parts storms, debug and soak. StormReload changes kernel code under load; its
// guest needs the option --reload of deploy/vm/boot.
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

// Processes that repeat a round until they are killed.
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
void FaultRound();  // writes 64 pages, drops them, writes and unmaps them
void ForkRound();   // starts a child that faults and exits
void ReadRound();   // reads every file of the module

// Sleeps for twice the time that reading took. Without a pause, in a slow
// guest, some reader would always have a file open, and the module could not be
// unloaded.
void PauseAfterReading(std::chrono::nanoseconds took);

// Reads a file of the module. Returns whether its last line is the one that the
// contract defines, or the file is not there.
bool ReadsWhole(const char* name);

char* MapPages(size_t pages, int extra_flags = 0);
void WritePages(char* memory, size_t pages);

std::string Disk(const std::string& name);
std::string ReadFile(const std::string& path);
bool WriteFile(const std::string& path, const std::string& text);

// Sets a file of /proc or /sys, and restores its value when the object goes.
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

// A swap file on the disk, in use as long as the object lives.
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

// Lets the console show panics only, as long as the object lives. For storms
// that cause reports of the kernel on purpose, such as those of the OOM killer.
class QuietConsole {
 public:
  QuietConsole() : level_("/proc/sys/kernel/printk", "1") {}

 private:
  Setting level_;
};

// Unloads the module; tries again while a reader has a file open. Returns the
// errno.
int UnloadPatiently();
// Unloads the module and loads it with more parameters; returns the errno.
int LoadAfresh(const std::string& parameters = "");

// The answer of /metrics at a port; empty if there is none.
std::string Scrape(int port);
// Waits some seconds for a line of /metrics that begins so; whether it came.
bool DaemonSays(int port, const std::string& line);
pid_t StartDaemon(int port);

}  // namespace pf_test

#endif  // TESTS_VM_STORM_KIT_H_
