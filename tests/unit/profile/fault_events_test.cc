// SPDX-License-Identifier: Apache-2.0
#include "profile/fault_events.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace pfe {
namespace {

namespace fs = std::filesystem;

Record At(uint64_t time, uint64_t mark = 0) { return {time, LostRecord{mark}}; }

std::vector<uint64_t> Times(const std::vector<Record>& records) {
  std::vector<uint64_t> times;
  for (const Record& record : records) times.push_back(record.time);
  return times;
}

using Numbers = std::vector<uint64_t>;

TEST(TakeUntil, HoldsNewerRecordsBack) {
  std::vector<Record> held = {At(10), At(40), At(20), At(30)};
  std::vector<Record> taken;
  TakeUntil(30, &held, &taken);
  EXPECT_EQ(Times(taken), (Numbers{10, 20, 30}));
  EXPECT_EQ(Times(held), Numbers{40});
  // Another ring had an older one meanwhile.
  held.push_back(At(35));
  TakeUntil(50, &held, &taken);
  EXPECT_EQ(Times(taken), (Numbers{10, 20, 30, 35, 40})) << "appended";
  EXPECT_TRUE(held.empty());
}

TEST(TakeUntil, KeepsTheOrderOfRecordsOfOneTime) {
  std::vector<Record> held = {At(10, 1), At(10, 2), At(5, 3), At(10, 4)};
  std::vector<Record> taken;
  TakeUntil(10, &held, &taken);
  Numbers marks;
  for (const Record& record : taken)
    marks.push_back(std::get<LostRecord>(record.content).count);
  EXPECT_EQ(marks, (Numbers{3, 1, 2, 4}));
}

// Faults on many new pages.
void Fault() {
  constexpr size_t kBytes = 64 << 20;
  void* const memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  madvise(memory, kBytes, MADV_NOHUGEPAGE);
  for (size_t at = 0; at < kBytes; at += 4096)
    static_cast<volatile char*>(memory)[at] = 1;
  munmap(memory, kBytes);
}

uint64_t OwnFaults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_minflt);
}

// The weights of the own samples say how many faults there are, at each level:
// up to one sample for each CPU, which can stand for 24,851 faults.
TEST(FaultEvents, ThinsOutWhatIsTooMuch) {
  FaultEvents events;
  FaultEventsSettings settings;
  settings.tracefs = "/nowhere";
  settings.most_samples = 30;
  if (const auto error = events.Open(settings)) GTEST_SKIP() << error->message;
  const uint64_t before = OwnFaults();
  std::vector<Record> records;
  while (!events.was_thinned() || OwnFaults() < before + 200'000) {
    Fault();
    events.Drain(&records);
  }
  const uint64_t faults = OwnFaults() - before;
  events.DrainAll(&records);
  double sampled = 0;
  std::set<uint64_t> weights;
  for (const Record& record : records) {
    const auto* sample = std::get_if<FaultSample>(&record.content);
    if (!sample || sample->pid != static_cast<uint32_t>(getpid())) continue;
    sampled += static_cast<double>(sample->weight);
    weights.insert(sample->weight);
  }
  EXPECT_GT(weights.size(), 1u) << "levels";
  EXPECT_NEAR(sampled / static_cast<double>(faults), 1, 0.4);
}

class FindModuleEventTest : public testing::Test {
 protected:
  void SetUp() override {
    tracefs_ = testing::TempDir() + "pfe_fault_events_XXXXXX";
    ASSERT_NE(mkdtemp(tracefs_.data()), nullptr);
    event_ = tracefs_ + "/events/page_faults/fault";
  }
  void TearDown() override { fs::remove_all(tracefs_); }
  void Write(const std::string& name, const std::string& text) {
    fs::create_directories(event_);
    std::ofstream(event_ + "/" + name) << text;
  }
  std::string WhyNot() const { return FindModuleEvent(tracefs_).why_not; }

  std::string tracefs_, event_;
};

constexpr char kFormat[] =
    "\tfield:u64 address;\toffset:8;\tsize:8;\tsigned:0;\n"
    "\tfield:u64 ip;\toffset:16;\tsize:8;\tsigned:0;\n"
    "\tfield:u64 ns;\toffset:24;\tsize:8;\tsigned:0;\n"
    "\tfield:u64 cgroup;\toffset:32;\tsize:8;\tsigned:0;\n"
    "\tfield:u8 severity;\toffset:44;\tsize:1;\tsigned:0;\n"
    "\tfield:u8 origin;\toffset:45;\tsize:1;\tsigned:0;\n"
    "\tfield:u8 kind;\toffset:46;\tsize:1;\tsigned:0;\n"
    "\tfield:u8 access;\toffset:47;\tsize:1;\tsigned:0;\n";

TEST_F(FindModuleEventTest, FindsIt) {
  Write("id", "1500\n");
  Write("format", kFormat);
  const ModuleEvent event = FindModuleEvent(tracefs_);
  EXPECT_EQ(event.why_not, "");
  EXPECT_EQ(event.id, 1500u);
  EXPECT_TRUE(event.format);
}

TEST_F(FindModuleEventTest, SaysThatItIsNotThere) {
  fs::create_directories(tracefs_ + "/events");
  EXPECT_EQ(WhyNot(), "the module's trace event is not there: " + event_);
  EXPECT_FALSE(FindModuleEvent(tracefs_).format);
}

TEST_F(FindModuleEventTest, SaysThatTracefsIsNotThere) {
  EXPECT_EQ(WhyNot(), "tracefs is not there: " + tracefs_ +
                          "/events: No such file or directory");
}

TEST_F(FindModuleEventTest, SaysWhichFileCannotBeRead) {
  const std::string start = "the module's trace event cannot be used: ";
  Write("id", "1500\n");
  EXPECT_EQ(WhyNot(), start + event_ + "/format: No such file or directory");
  fs::create_directory(event_ + "/format");
  EXPECT_EQ(WhyNot(), start + event_ + "/format: Is a directory");
  fs::remove(event_ + "/id");
  fs::create_directory(event_ + "/id");
  EXPECT_EQ(WhyNot(), start + event_ + "/id: Is a directory");
}

TEST_F(FindModuleEventTest, SaysWhichFileIsNotUnderstood) {
  const std::string start = "the module's trace event cannot be used: ";
  Write("id", "x\n");
  Write("format", kFormat);
  EXPECT_EQ(WhyNot(), start + event_ + "/id: it is no number");
  Write("id", "1500\n");
  Write("format", "field:u64 address;\toffset:8;\tsize:8;\tsigned:0;\n");
  EXPECT_EQ(WhyNot(), start + event_ + "/format: it lacks fields");
  EXPECT_FALSE(FindModuleEvent(tracefs_).format);
}

}  // namespace
}  // namespace pfe
