// SPDX-License-Identifier: Apache-2.0
// How long faults take: the file `latency` and the column stall_ns.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bit>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "module.h"
#include "page_faults.h"
#include "sleepers.h"
#include "subject.h"

namespace pf_test {
namespace {

// A line of `latency`: the bound or the name, minor, major.
struct LatencyLine {
  std::string le;
  uint64_t minor;
  uint64_t major;
};

std::vector<LatencyLine> ReadLatency() {
  std::stringstream text(ReadModuleFile(PF_FILE_LATENCY));
  std::string line;
  std::getline(text, line);
  EXPECT_EQ(line, PF_MAGIC + std::to_string(PF_FORMAT_VERSION));
  std::getline(text, line);
  EXPECT_EQ(line, PF_COL_LE_NS "\t" PF_COL_MINOR "\t" PF_COL_MAJOR);
  std::vector<LatencyLine> lines;
  LatencyLine next;
  while (text >> next.le && next.le != "#" && text >> next.minor >> next.major)
    lines.push_back(next);
  return lines;
}

const LatencyLine& Line(const std::vector<LatencyLine>& lines,
                        const std::string& le) {
  for (const LatencyLine& line : lines)
    if (line.le == le) return line;
  ADD_FAILURE() << "no line " << le;
  return lines.front();
}

uint64_t Total(const LatencyLine& line) { return line.minor + line.major; }

TEST(Latency, CountsEveryFaultOnce) {
  RunToEnd([] {
    const std::vector<char> memory(size_t{200} * 4096, 1);
    if (memory.back() != 1) _exit(1);
  });
  Stats after;
  std::vector<LatencyLine> lines;
  ASSERT_TRUE(Eventually([&] {
    const Stats before = ReadStats();
    lines = ReadLatency();
    after = ReadStats();
    return before.at(PF_COL_FAULTS) == after.at(PF_COL_FAULTS);
  })) << "the machine never came to rest";
  const LatencyLine& count = Line(lines, PF_LE_COUNT);
  EXPECT_EQ(static_cast<int64_t>(count.minor),
            StatsNumber(after, PF_COL_MINOR));
  EXPECT_EQ(static_cast<int64_t>(count.major),
            StatsNumber(after, PF_COL_MAJOR));
  EXPECT_EQ(Line(lines, PF_LE_INF).minor, count.minor);
  EXPECT_LE(static_cast<int64_t>(Total(Line(lines, PF_LE_SUM))),
            StatsNumber(after, PF_COL_STALL_NS));
}

// The faults that took more than 2^from ns and at most 2^to ns.
uint64_t Between(const std::vector<LatencyLine>& lines, int from, int to) {
  return Total(Line(lines, std::to_string(1ULL << to))) -
         Total(Line(lines, std::to_string(1ULL << from)));
}

uint64_t Now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000000000 +
         static_cast<uint64_t>(time.tv_nsec);
}

void RunOn(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set)) _exit(1);
}

// A thread waits 50 ms in a fault, which begins on CPU 0 and completes on
// `cpu`. The histogram's bucket and sum have this time, and so has the
// process's stall.
void ExpectWaitInItsBucket(int cpu) {
  constexpr uint64_t kWait = 50'000'000;
  // The kernel's clock and the test's differ a little, unless both are the TSC.
  constexpr uint64_t kAtLeast = kWait / 10 * 9;
  constexpr int kBelow = 25;  // 2^25 ns are 33.5 ms
  static uint64_t* took;      // ns of the whole act, the wait included
  took = static_cast<uint64_t*>(mmap(nullptr, sizeof(*took),
                                     PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(static_cast<void*>(took), MAP_FAILED);
  const std::vector<LatencyLine> before = ReadLatency();
  Subject subject([] {},
                  [cpu] {
                    RunOn(0);
                    const uint64_t start = Now();
                    Sleepers sleepers(1);
                    if (!sleepers.MoveTo(cpu)) _exit(1);
                    usleep(kWait / 1000);
                    sleepers.Wake();
                    *took = Now() - start;
                  });
  const auto stall = [&subject] {
    return ReadTable().FindOne(subject.pid())->Number(PF_COL_STALL_NS);
  };
  const uint64_t stall_before = stall();
  subject.Act();
  const std::vector<LatencyLine> after = ReadLatency();
  const auto above = static_cast<int>(std::bit_width(*took));
  EXPECT_GE(Between(after, kBelow, above), Between(before, kBelow, above) + 1)
      << "took " << *took;
  EXPECT_GE(Total(Line(after, PF_LE_SUM)),
            Total(Line(before, PF_LE_SUM)) + kAtLeast);
  EXPECT_GE(stall(), stall_before + kAtLeast);
  // Two threads of the process can stall at the same time.
  EXPECT_LE(stall(), stall_before + 2 * *took);
  munmap(took, sizeof(*took));
}

TEST(Latency, AFaultThatWaits50msLandsInItsBucket) { ExpectWaitInItsBucket(0); }

TEST(Latency, AFaultThatMovesToAnotherCpuLandsInItsBucket) {
  if (sysconf(_SC_NPROCESSORS_ONLN) < 2) GTEST_SKIP() << "one CPU";
  ExpectWaitInItsBucket(1);
}

}  // namespace
}  // namespace pf_test
