// SPDX-License-Identifier: Apache-2.0
// Storms of other tracers on the function that the module probes: trace events,
// the function tracer, BPF, and the tools perf and bpftrace.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module.h"
#include "page_faults.h"
#include "storm_kit.h"

namespace pf_test {
namespace {

std::string Tracing(const std::string& file) {
  return "/sys/kernel/debug/tracing/" + file;
}

// Opens kprobe_events to append, since opening it to overwrite clears it.
bool AddEvent(const std::string& event) {
  const int fd =
      open(Tracing("kprobe_events").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return false;
  const bool good = write(fd, event.data(), event.size()) ==
                    static_cast<ssize_t>(event.size());
  close(fd);
  return good;
}

// Kprobe events on the same function, as perf and trace-cmd make them.
TEST(StormReload, TraceEventsOnTheSameFunction) {
  Crowd crowd(2, ForkRound);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(AddEvent("p:storm_entry handle_mm_fault\n"));
    ASSERT_TRUE(AddEvent("r:storm_return handle_mm_fault\n"));
    ASSERT_TRUE(WriteFile(Tracing("events/kprobes/enable"), "1"));
    usleep(50000);
    ASSERT_TRUE(WriteFile(Tracing("events/kprobes/enable"), "0"));
    ASSERT_TRUE(AddEvent("-:storm_return\n"));
    ASSERT_TRUE(AddEvent("-:storm_entry\n"));
  }
}

// Switches the tracer on and off while the module is loaded, and loads the
// module while the tracer is on.
void TraceTheSameFunction(const std::string& tracer) {
  if (ReadFile(Tracing("available_tracers")).find(tracer) == std::string::npos)
    GTEST_SKIP() << "no tracer " << tracer << " in this kernel";
  const Setting filter(Tracing("set_ftrace_filter"), "handle_mm_fault");
  ASSERT_TRUE(filter.set());
  Crowd crowd(2, ForkRound);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(WriteFile(Tracing("current_tracer"), tracer));
    usleep(50000);
    ASSERT_EQ(LoadAfresh(), 0);
    usleep(50000);
    ASSERT_TRUE(WriteFile(Tracing("current_tracer"), "nop"));
  }
  WriteFile(Tracing("set_ftrace_filter"), "");
}

TEST(StormReload, FunctionTracerOnTheSameFunction) {
  TraceTheSameFunction("function");
}

TEST(StormReload, FunctionGraphTracerOnTheSameFunction) {
  TraceTheSameFunction("function_graph");
}

// Loads a BPF program of the kind that bpftrace attaches. It returns 0.
int LoadBpf() {
  static const bpf_insn kProgram[] = {
      {BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  bpf_attr attr{};
  attr.prog_type = BPF_PROG_TYPE_KPROBE;
  attr.insns = reinterpret_cast<uint64_t>(kProgram);
  attr.insn_cnt = 2;
  attr.license = reinterpret_cast<uint64_t>("GPL");
  return static_cast<int>(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)));
}

// Opens a kprobe by perf_event_open() and attaches a BPF program to it.
int OpenProbe(bool at_return) {
  const std::string type =
      ReadFile("/sys/bus/event_source/devices/kprobe/type");
  if (type.empty()) return -1;
  perf_event_attr attr{};
  attr.size = sizeof(attr);
  attr.type = static_cast<uint32_t>(std::stoul(type));
  attr.config = at_return;
  attr.kprobe_func = reinterpret_cast<uint64_t>("handle_mm_fault");
  const int fd = static_cast<int>(
      syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC));
  const int program = LoadBpf();
  if (fd < 0 || program < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, program))
    return -1;
  ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
  close(program);
  return fd;
}

TEST(StormReload, BpfOnTheSameFunction) {
  Crowd crowd(2, ForkRound);
  for (int i = 0; i < 5; ++i) {
    const int entry = OpenProbe(false), at_return = OpenProbe(true);
    if (entry < 0 || at_return < 0)
      GTEST_SKIP() << "no BPF in this kernel: " << strerror(errno);
    usleep(50000);
    close(entry);
    close(at_return);
  }
}

// The other tracer is attached before our load and after our unload.
TEST(StormReload, LoadedAndUnloadedBesideBpf) {
  const int at_return = OpenProbe(true);
  if (at_return < 0) GTEST_SKIP() << "no BPF in this kernel";
  Crowd crowd(2, ForkRound);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(LoadAfresh(), 0);
  close(at_return);
}

// The path at which the part `storms` puts perf, bpftrace and their libraries.
std::string Tool(const std::string& name) { return Disk("tools/" + name); }

// Starts a tool; its output goes to a file on the disk.
pid_t StartTool(const std::string& name, std::vector<std::string> arguments) {
  const std::string linker = Tool("ld.so"), output = Disk(name + ".out");
  std::vector<std::string> words = {linker, "--library-path", Disk("tools"),
                                    Tool(name)};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  unlink(output.c_str());  // without the output of an earlier run
  const pid_t pid = fork();
  if (pid == 0) {
    const int fd = open(output.c_str(), O_WRONLY | O_CREAT, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    execv(linker.c_str(), argv.data());
    _exit(127);
  }
  return pid;
}

// Waits until the tool's output has the word; false if the tool ends before.
bool ToolSays(pid_t pid, const std::string& name, const std::string& word) {
  while (ReadFile(Disk(name + ".out")).find(word) == std::string::npos) {
    siginfo_t ended{};
    waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOHANG | WNOWAIT);
    if (ended.si_pid) return false;
    usleep(100000);
  }
  return true;
}

// Reloads the module while a tool runs, and then ends the tool by SIGINT.
void ReloadBeside(pid_t pid, const std::string& name) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(LoadAfresh(), 0);
    usleep(50000);
  }
  kill(pid, SIGINT);
  int status = -1;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  // perf ends by sending itself the same signal.
  EXPECT_TRUE(WIFEXITED(status) || WTERMSIG(status) == SIGINT)
      << status << ": " << ReadFile(Disk(name + ".out"));
}

TEST(StormReload, BpftraceOnTheSameFunction) {
  if (access(Tool("bpftrace").c_str(), X_OK))
    GTEST_SKIP() << "no bpftrace on this guest's disk";
  Crowd crowd(2, ForkRound);
  const pid_t pid = StartTool(
      "bpftrace", {"-e",
                   "kprobe:handle_mm_fault { @calls[comm] = count(); } "
                   "kretprobe:handle_mm_fault { @returns = count(); } "
                   "interval:ms:200 { printf(\"on\\n\"); }"});
  ASSERT_TRUE(ToolSays(pid, "bpftrace", "on"))
      << ReadFile(Disk("bpftrace.out"));
  ReloadBeside(pid, "bpftrace");
  const std::string said = ReadFile(Disk("bpftrace.out"));
  const size_t at = said.find("@returns: ");
  ASSERT_NE(at, std::string::npos) << said;
  EXPECT_GT(atoi(said.c_str() + at + 10), 1000);
}

// bpftrace that counts by kretfunc, which is a direct call of the kernel's BPF.
pid_t StartKretfunc() {
  return StartTool("bpftrace",
                   {"-e",
                    "kretfunc:handle_mm_fault { @returns = count(); } "
                    "interval:ms:200 { printf(\"on\\n\"); }"});
}

// Starts bpftrace with kretfunc, and ends it. Returns an empty text if bpftrace
// could not attach, else what it printed.
std::string KretfuncIsRefused() {
  const pid_t pid = StartKretfunc();
  const bool attached = ToolSays(pid, "bpftrace", "on");
  if (attached) kill(pid, SIGINT);
  int status = -1;
  waitpid(pid, &status, 0);
  const std::string said = ReadFile(Disk("bpftrace.out"));
  return attached || status == 0 ? "not refused: " + said : "";
}

// bpftrace comes first: the module uses the return probe until it has ended.
TEST(StormReload, BpftraceKretfuncFirst) {
  if (access(Tool("bpftrace").c_str(), X_OK))
    GTEST_SKIP() << "no bpftrace on this guest's disk";
  Crowd crowd(2, ForkRound);
  ASSERT_EQ(UnloadPatiently(), 0);
  const pid_t pid = StartKretfunc();
  ASSERT_TRUE(ToolSays(pid, "bpftrace", "on"))
      << ReadFile(Disk("bpftrace.out"));
  EXPECT_EQ(LoadModule("hook=direct"), EBUSY);
  ASSERT_EQ(LoadModule("hook=auto"), 0);
  EXPECT_EQ(HookInUse(), PF_HOOK_NAME_KRETPROBE);
  ReloadBeside(pid, "bpftrace");
  EXPECT_TRUE(Eventually([] { return LoadAfresh("hook=direct") == 0; }));
}

// The module comes first: bpftrace is refused, or the module is loaded with the
// return probe.
TEST(StormReload, BpftraceKretfuncSecond) {
  if (access(Tool("bpftrace").c_str(), X_OK))
    GTEST_SKIP() << "no bpftrace on this guest's disk";
  Crowd crowd(2, ForkRound);
  ASSERT_EQ(LoadAfresh("hook=direct"), 0);
  EXPECT_EQ(KretfuncIsRefused(), "");
  ASSERT_EQ(LoadAfresh("hook=kretprobe"), 0);
  const pid_t pid = StartKretfunc();
  ASSERT_TRUE(ToolSays(pid, "bpftrace", "on"))
      << ReadFile(Disk("bpftrace.out"));
  kill(pid, SIGINT);
  int status = -1;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0) << ReadFile(Disk("bpftrace.out"));
}

const std::string kEvent = PF_EVENT_SYSTEM ":" PF_EVENT_FAULT;

// What the pages say to do with the event.
TEST(StormReload, BpftraceReadsTheEvent) {
  if (access(Tool("bpftrace").c_str(), X_OK))
    GTEST_SKIP() << "no bpftrace on this guest's disk";
  ASSERT_TRUE(SetParameter("sample", "1"));
  Crowd crowd(2, ForkRound);
  const pid_t pid =
      StartTool("bpftrace",
                {"-e", "t:" + kEvent +
                           " /args->kind == 0/ { @anon = sum(args->weight); } "
                           "interval:ms:200 { printf(\"on\\n\"); }"});
  ASSERT_TRUE(ToolSays(pid, "bpftrace", "on"))
      << ReadFile(Disk("bpftrace.out"));
  EXPECT_EQ(UnloadModule(), EWOULDBLOCK) << "bpftrace holds the module";
  sleep(2);
  kill(pid, SIGINT);
  int status = -1;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  const std::string said = ReadFile(Disk("bpftrace.out"));
  const size_t at = said.find("@anon: ");
  ASSERT_NE(at, std::string::npos) << said;
  EXPECT_GT(atoi(said.c_str() + at + 7), 100);
  EXPECT_EQ(LoadAfresh(), 0);
}

TEST(StormReload, PerfRecordsTheEvent) {
  if (access(Tool("perf").c_str(), X_OK))
    GTEST_SKIP() << "no perf on this guest's disk";
  ASSERT_TRUE(SetParameter("sample", "1"));
  Crowd crowd(2, ForkRound);
  const std::string data = Disk("perf.data");
  const pid_t record =
      StartTool("perf", {"record", "-a", "-g", "-e", kEvent, "-o", data});
  sleep(5);
  EXPECT_EQ(UnloadModule(), EWOULDBLOCK) << "perf holds the module";
  kill(record, SIGINT);
  int status = -1;
  ASSERT_EQ(waitpid(record, &status, 0), record);
  const pid_t script = StartTool("perf", {"script", "-i", data});
  ASSERT_EQ(waitpid(script, &status, 0), script);
  const std::string said = ReadFile(Disk("perf.out"));
  EXPECT_NE(said.find("minor write user anon address=0x"), std::string::npos)
      << said.substr(0, 2000);
  EXPECT_EQ(LoadAfresh(), 0);
}

TEST(StormReload, PerfOnTheSameFunction) {
  if (access(Tool("perf").c_str(), X_OK))
    GTEST_SKIP() << "no perf on this guest's disk";
  Crowd crowd(2, ForkRound);
  ASSERT_TRUE(AddEvent("p:storm_perf handle_mm_fault\n"));
  ASSERT_TRUE(AddEvent("r:storm_perf_return handle_mm_fault\n"));
  const pid_t pid =
      StartTool("perf", {"stat", "-a", "-I", "200", "-e",
                         "kprobes:storm_perf,kprobes:storm_perf_return"});
  ASSERT_TRUE(ToolSays(pid, "perf", "kprobes:storm_perf_return"))
      << ReadFile(Disk("perf.out"));
  ReloadBeside(pid, "perf");
  ASSERT_TRUE(AddEvent("-:storm_perf_return\n"));
  ASSERT_TRUE(AddEvent("-:storm_perf\n"));
}

}  // namespace
}  // namespace pf_test
