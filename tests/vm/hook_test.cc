// SPDX-License-Identifier: Apache-2.0
// The two hooks by which the module sees faults: which one is in use, that the
// module can go while threads sleep in faults, and other holders of the
// function's direct call. These run in a guest of their own (see --reload of
// deploy/vm/boot), once for each hook.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

#include "bpf.h"
#include "module.h"
#include "page_faults.h"
#include "sleepers.h"
#include "storm_kit.h"
#include "subject.h"

namespace pf_test {
namespace {

const char kTrampoline[] = "/sys/module/page_faults_trampoline";

// What /proc says of the stack of the process's thread that is in the function.
std::string StackWith(pid_t pid, const std::string& function) {
  for (const auto& task : std::filesystem::directory_iterator(
           "/proc/" + std::to_string(pid) + "/task")) {
    std::string stack = ReadFile(task.path() / "stack");
    if (stack.find(function) != std::string::npos) return stack;
  }
  return "";
}

TEST(Hook, StatsSayWhich) {
  const Stats stats = ReadStats();
  EXPECT_EQ(stats.at(PF_KEY_HOOK), ExpectedHook());
  EXPECT_FALSE(stats.count(PF_KEY_HOOK_REASON));
}

TEST(Hook, IsTheOneAskedFor) {
  for (const char* hook : {PF_HOOK_NAME_KRETPROBE, PF_HOOK_NAME_DIRECT}) {
    ASSERT_EQ(LoadAfresh(std::string("hook=") + hook), 0);
    EXPECT_EQ(HookInUse(), hook);
    EXPECT_FALSE(ReadStats().count(PF_KEY_HOOK_REASON));
  }
  ASSERT_EQ(LoadAfresh("hook=auto"), 0);
  EXPECT_EQ(HookInUse(), PF_HOOK_NAME_DIRECT);
}

// More threads than a return probe would have room for.
TEST(Hook, MaxactiveLimitsOnlyTheReturnProbe) {
  ASSERT_EQ(LoadAfresh("hook=direct maxactive=16"), 0);
  static Sleepers* sleepers;
  Subject subject([] { sleepers = new Sleepers(200); },
                  [] { sleepers->Wake(); });
  subject.Act();
  EXPECT_EQ(RowError(subject.pid()), "");
  EXPECT_GE(ReadTable().FindOne(subject.pid())->Number(PF_COL_RETRIED), 200u);
}

// The threads return through the hook's trampoline, with the module gone and
// with the module loaded again. The unload does not wait for them: they wake
// only after it.
TEST(Hook, AThousandThreadsSleepAcrossUnloads) {
  for (const bool again : {false, true}) {
    static Sleepers* sleepers;
    Subject subject([] { sleepers = new Sleepers(1000); },
                    [] { sleepers->Wake(); });
    ASSERT_EQ(UnloadPatiently(), 0);
    if (again) {
      ASSERT_EQ(LoadModule(DefaultParameters()), 0);
    }
    subject.Act();
    if (!again) {
      ASSERT_EQ(LoadModule(DefaultParameters()), 0);
    }
  }
}

// Ten loads while threads sleep, some of which came in between.
TEST(Hook, ManyGenerationsSleepTogether) {
  static Sleepers *first, *later;
  Crowd crowd(2, FaultRound);
  Subject one([] { first = new Sleepers(300); }, [] { first->Wake(); });
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(LoadAfresh(), 0);
  }
  Subject two([] { later = new Sleepers(300); }, [] { later->Wake(); });
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(LoadAfresh(), 0);
  }
  one.Act();
  two.Act();
}

// The kernel finds its way up the stack, through the trampoline.
TEST(Hook, TheStackOfASleeperIsWhole) {
  static Sleepers* sleepers;
  Subject subject([] { sleepers = new Sleepers(1); }, [] { sleepers->Wake(); });
  const std::string stack = StackWith(subject.pid(), "handle_userfault");
  EXPECT_NE(stack.find("handle_mm_fault"), std::string::npos) << stack;
  EXPECT_NE(stack.find("asm_exc_page_fault"), std::string::npos) << stack;
  EXPECT_EQ(stack.find("pf_trampoline_code") != std::string::npos,
            !IsKretprobe())
      << stack;
  // With a return probe, 6.1 can warn when it looks at the stack of a task that
  // is runnable inside of it (rethook).
  if (!IsKretprobe()) {
    const QuietConsole quiet;  // sysrq-t prints every stack
    Crowd crowd(2, FaultRound);
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(WriteFile("/proc/sysrq-trigger", "t"));
    }
  }
  subject.Act();
  EXPECT_EQ(RowError(subject.pid()), "");
}

// The subject has ended before a program is detached: it has the program's file
// descriptor too.
void ExpectExactFaults() {
  Subject subject([] {}, FaultRound);
  subject.Act();
  EXPECT_EQ(RowError(subject.pid()), "");
}

// Loads the module with a direct call. The kernel takes a BPF program off the
// function some time after it was detached.
bool DirectIsPossible() {
  return Eventually([] { return LoadAfresh("hook=direct") == 0; });
}

// A BPF program comes first: the direct call is not possible.
TEST(Hook, FentryFirst) {
  ASSERT_EQ(UnloadPatiently(), 0);
  TracingProgram program("handle_mm_fault", TracingProgram::Where::kFentry);
  if (!program.loaded()) GTEST_SKIP() << "no BPF trampolines in this kernel";
  ASSERT_EQ(program.Attach(), 0);
  EXPECT_EQ(LoadModule("hook=direct"), EBUSY);
  ASSERT_EQ(LoadModule("hook=auto"), 0);
  const Stats stats = ReadStats();
  EXPECT_EQ(stats.at(PF_KEY_HOOK), PF_HOOK_NAME_KRETPROBE);
  EXPECT_NE(stats.at(PF_KEY_HOOK_REASON).find("fentry"), std::string::npos);
  ExpectExactFaults();
  program.Detach();
  EXPECT_TRUE(DirectIsPossible());
}

// The module comes first: a BPF program has to wait, or the module is loaded
// with the return probe.
TEST(Hook, FentrySecond) {
  ASSERT_EQ(LoadAfresh("hook=direct"), 0);
  TracingProgram program("handle_mm_fault", TracingProgram::Where::kFentry);
  if (!program.loaded()) GTEST_SKIP() << "no BPF trampolines in this kernel";
  const int error = program.Attach();
  EXPECT_TRUE(error == EBUSY || error == EINVAL /* 7.x */) << error;
  ASSERT_EQ(LoadAfresh("hook=kretprobe"), 0);
  ASSERT_EQ(program.Attach(), 0);
  ExpectExactFaults();
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(LoadAfresh("hook=auto"), 0);
    EXPECT_EQ(HookInUse(), PF_HOOK_NAME_KRETPROBE);
  }
  program.Detach();
  EXPECT_TRUE(DirectIsPossible());
}

// A direct call by fexit changes the beginning of the function otherwise than a
// tracer does. The trampoline module, which is first loaded while fexit is
// attached, must recognise the function as the one that it knows. Skipped if
// the trampoline was loaded earlier.
TEST(HookFresh, FexitBeforeTheTrampoline) {
  if (!access(kTrampoline, F_OK)) GTEST_SKIP() << "the trampoline is loaded";
  TracingProgram program("handle_mm_fault", TracingProgram::Where::kFexit);
  if (!program.loaded()) GTEST_SKIP() << "no BPF trampolines in this kernel";
  ASSERT_EQ(program.Attach(), 0);
  ASSERT_EQ(LoadModule("hook=auto"), 0);
  EXPECT_EQ(access(kTrampoline, F_OK), 0);
  EXPECT_EQ(HookInUse(), PF_HOOK_NAME_KRETPROBE);
  program.Detach();
  EXPECT_TRUE(DirectIsPossible());
  ExpectExactFaults();
}

// Another module of this guest, /NAME.ko.
class OtherModule {
 public:
  explicit OtherModule(std::string name)
      : name_(std::move(name)), path_("/" + name_ + ".ko") {}
  ~OtherModule() { Unload(); }
  bool Exists() const { return !access(path_.c_str(), F_OK); }
  // Returns 0 or the errno.
  int Load() {
    const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    loaded_ = syscall(SYS_finit_module, fd, "", 0) == 0;
    const int error = loaded_ ? 0 : errno;
    close(fd);
    return error;
  }
  void Unload() {
    if (loaded_) {
      EXPECT_EQ(syscall(SYS_delete_module, name_.c_str(), 0), 0);
    }
    loaded_ = false;
  }

 private:
  const std::string name_;
  const std::string path_;
  bool loaded_ = false;
};

// It holds the function as a livepatch of it does.
const char kHolder[] = "ftrace_holder";

TEST(Hook, LivepatchFirst) {
  OtherModule holder(kHolder);
  if (!holder.Exists()) GTEST_SKIP() << "no ftrace_holder.ko in this guest";
  ASSERT_EQ(UnloadPatiently(), 0);
  ASSERT_EQ(holder.Load(), 0);
  EXPECT_EQ(LoadModule("hook=direct"), EBUSY);
  ASSERT_EQ(LoadModule("hook=auto"), 0);
  const Stats stats = ReadStats();
  EXPECT_EQ(stats.at(PF_KEY_HOOK), PF_HOOK_NAME_KRETPROBE);
  EXPECT_NE(stats.at(PF_KEY_HOOK_REASON).find("livepatch"), std::string::npos);
  ExpectExactFaults();
  holder.Unload();
  ASSERT_EQ(LoadAfresh("hook=direct"), 0);
  ExpectExactFaults();
}

TEST(Hook, LivepatchSecond) {
  OtherModule holder(kHolder);
  if (!holder.Exists()) GTEST_SKIP() << "no ftrace_holder.ko in this guest";
  ASSERT_EQ(LoadAfresh("hook=direct"), 0);
  EXPECT_EQ(holder.Load(), EBUSY);
  ExpectExactFaults();
  ASSERT_EQ(LoadAfresh("hook=kretprobe"), 0);
  EXPECT_EQ(holder.Load(), 0);
  ExpectExactFaults();
}

// A livepatch of another function is put in place, and taken back, while
// threads sleep in faults. The kernel waits for each thread until it has found
// a reliable way up its stack (klp_check_stack() in
// kernel/livepatch/transition.c).
TEST(Hook, LivepatchOverSleepers) {
  OtherModule patch("cmdline_livepatch");
  if (!patch.Exists()) GTEST_SKIP() << "no cmdline_livepatch.ko in this guest";
  const std::string state = "/sys/kernel/livepatch/cmdline_livepatch";
  static Sleepers* sleepers;
  Subject subject([] { sleepers = new Sleepers(100); },
                  [] { sleepers->Wake(); });
  ASSERT_EQ(patch.Load(), 0);
  EXPECT_TRUE(
      Eventually([&] { return ReadFile(state + "/transition") == "0\n"; }));
  EXPECT_EQ(ReadFile("/proc/cmdline"), "patched\n");
  ASSERT_TRUE(WriteFile(state + "/enabled", "0"));
  EXPECT_TRUE(Eventually([&] { return access(state.c_str(), F_OK) != 0; }));
  EXPECT_NE(ReadFile("/proc/cmdline"), "patched\n");
  patch.Unload();
  subject.Act();
  EXPECT_EQ(RowError(subject.pid()), "");
}

TEST(Hook, TheTrampolineStays) {
  ASSERT_EQ(LoadAfresh("hook=direct"), 0);
  ASSERT_EQ(UnloadPatiently(), 0);
  EXPECT_NE(syscall(SYS_delete_module, "page_faults_trampoline", O_NONBLOCK),
            0);
  // modprobe -r looks at this.
  EXPECT_EQ(ReadFile(std::string(kTrampoline) + "/refcnt"), "1\n");
}

// A return probe on the trampoline would let it return to a wrong address.
TEST(Hook, NoKprobesOnTheTrampoline) {
  ASSERT_EQ(LoadAfresh("hook=direct"), 0);
  const std::string list = ReadFile("/sys/kernel/debug/kprobes/blacklist");
  for (const char* function :
       {"pf_trampoline_code", "pf_trampoline_enter", "pf_trampoline_leave",
        "pf_direct_enter_local", "pf_direct_leave_local"}) {
    EXPECT_NE(list.find(function), std::string::npos) << function;
  }
}

}  // namespace
}  // namespace pf_test
