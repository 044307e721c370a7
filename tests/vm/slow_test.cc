// SPDX-License-Identifier: Apache-2.0
// Slow faults: the columns slow_1ms to slow_1s, with the time of retries.
#include <gtest/gtest.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>

#include "module.h"
#include "page_faults.h"
#include "sleepers.h"
#include "subject.h"

namespace pf_test {
namespace {

constexpr std::array<const char*, 4> kColumns = {
    PF_COL_SLOW_1MS, PF_COL_SLOW_10MS, PF_COL_SLOW_100MS, PF_COL_SLOW_1S};
using Slow = std::array<uint64_t, kColumns.size()>;

Slow SlowOf(pid_t pid) {
  Slow slow{};
  const Table table = ReadTable();
  const Row* row = table.FindOne(pid);
  if (!row) {
    ADD_FAILURE() << "no row";
    return slow;
  }
  for (size_t i = 0; i < slow.size(); ++i) slow[i] = row->Number(kColumns[i]);
  return slow;
}

// The slow faults of a process that does `act`.
Slow SlowIn(const Subject::Work& act) {
  Subject subject(act);
  const Slow before = SlowOf(subject.pid());
  subject.Act();
  Slow growth = SlowOf(subject.pid());
  for (size_t i = 0; i < growth.size(); ++i) growth[i] -= before[i];
  EXPECT_TRUE(std::is_sorted(growth.rbegin(), growth.rend()))
      << "a column includes the next ones";
  return growth;
}

// A thread waits in a fault that `touch` causes. The page is not there when the
// wait ends, so that get_user_pages() faults again too.
Slow SlowInWait(useconds_t us, const Sleepers::Touch& touch) {
  return SlowIn([us, &touch] {
    Sleepers sleepers(1, touch);
    usleep(us);
    sleepers.Release();
  });
}

void ReadByte(char* page) {
  static_cast<void>(*static_cast<volatile char*>(page));
}

// The kernel copies to the page.
void ReadFromPipe(char* page) {
  int ends[2];
  if (pipe(ends) || write(ends[1], "x", 1) != 1 || read(ends[0], page, 1) != 1)
    _exit(1);
}

// get_user_pages() takes the page.
void ReadByVm(char* page) {
  char byte;
  iovec local{&byte, 1};
  iovec there{page, 1};
  if (process_vm_readv(getpid(), &local, 1, &there, 1, 0) != 1) _exit(1);
}

struct Kind {
  const char* name;
  void (*touch)(char* page);
};

// The kinds of retries. A call that waits for a userfaultfd returns a retry,
// and another one completes the fault:
//   - of a program: with FAULT_FLAG_TRIED before 6.4; since then mostly without
//     it, because the call that waited held the lock of its VMA only
//   - of the kernel, and of get_user_pages(): with FAULT_FLAG_TRIED
class SlowRetry : public testing::TestWithParam<Kind> {};

// On a busy host other faults are slow too, and a wait can take longer. So the
// test is that some wait of 20 ms is in the right columns, and in no other.
TEST_P(SlowRetry, AWaitOf20msIsSlowerThan10msAndNotThan100ms) {
  Slow slow{};
  EXPECT_TRUE(Eventually([&slow] {
    slow = SlowInWait(20'000, GetParam().touch);
    EXPECT_GE(slow[1], 1u) << "the wait is not counted";
    return testing::Test::HasFailure() || slow[2] == 0;
  })) << "over 100 ms: "
      << slow[2];
}

TEST_P(SlowRetry, AWaitOf1100msIsInEveryColumn) {
  EXPECT_GE(SlowInWait(1'100'000, GetParam().touch)[3], 1u);
}

INSTANTIATE_TEST_SUITE_P(Slow, SlowRetry,
                         testing::Values(Kind{"OfAProgram", ReadByte},
                                         Kind{"OfTheKernel", ReadFromPipe},
                                         Kind{"OfGetUserPages", ReadByVm}),
                         [](const auto& kind) { return kind.param.name; });

// To the program it is one wait, of 120 ms.
TEST(Slow, AWaitThatASignalInterruptsGoesOn) {
  const Slow slow = SlowIn([] {
    Sleepers sleepers(1);
    usleep(60'000);
    sleepers.Interrupt();
    usleep(60'000);
    sleepers.Wake();
  });
  EXPECT_GE(slow[2], 1u);
}

// The faults of the host that took more than each bound of the histogram, ns.
std::map<uint64_t, uint64_t> ReadOver() {
  std::stringstream text(ReadModuleFile(PF_FILE_LATENCY));
  std::map<uint64_t, uint64_t> over;
  std::string line;
  uint64_t total = 0;
  while (std::getline(text, line)) {
    std::stringstream fields(line);
    std::string label;
    uint64_t minor, major;
    if (!(fields >> label >> minor >> major)) continue;
    if (label == PF_LE_COUNT) total = minor + major;
    if (label.find_first_not_of("0123456789") == std::string::npos)
      over[std::stoull(label)] = minor + major;
  }
  for (auto& [bound, n] : over) n = total - n;
  return over;
}

// Both count each fault by the same time.
TEST(Slow, AgreesWithTheHistogram) {
  for (const useconds_t us : {2'000u, 20'000u, 200'000u, 1'200'000u})
    SlowInWait(us, ReadByte);
  Stats after;
  std::map<uint64_t, uint64_t> over;
  ASSERT_TRUE(Eventually([&] {
    const Stats before = ReadStats();
    over = ReadOver();
    after = ReadStats();
    return before.at(PF_COL_FAULTS) == after.at(PF_COL_FAULTS);
  })) << "the machine never came to rest";
  uint64_t bound = 1'000'000;
  for (const char* column : kColumns) {
    const auto above = over.upper_bound(bound);
    ASSERT_NE(above, over.end());
    const auto slow = static_cast<uint64_t>(StatsNumber(after, column));
    EXPECT_GE(slow, above->second) << column;
    EXPECT_LE(slow, std::prev(above)->second) << column;
    EXPECT_GE(slow, 1u) << column;
    bound *= 10;
  }
}

}  // namespace
}  // namespace pf_test
