// SPDX-License-Identifier: Apache-2.0
// The trace event page_faults:fault, as it is read from a tracing instance.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "module.h"
#include "page_faults.h"
#include "sleepers.h"
#include "storm_kit.h"
#include "subject.h"

namespace pf_test {
namespace {

const std::string kTracing = "/sys/kernel/debug/tracing/";
const std::string kEvent = "events/" PF_EVENT_SYSTEM "/" PF_EVENT_FAULT "/";

struct Event {
  pid_t thread = 0;
  std::string shape;  // "minor write user anon"
  std::map<std::string, std::string> fields;

  uint64_t Number(const std::string& field) const {
    const auto at = fields.find(field);
    EXPECT_NE(at, fields.end()) << field;
    return at == fields.end() ? 0 : std::stoull(at->second, nullptr, 0);
  }
};
using Events = std::vector<Event>;

// A line of the trace, "comm-12 [000] ..... 1.2: fault: minor ... name=value".
Event Parse(const std::string& line, size_t at) {
  Event event;
  const size_t dash = line.rfind('-', line.find(" ["));
  event.thread = std::stoi(line.substr(dash + 1));
  std::stringstream words(line.substr(at));
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    if (equals != std::string::npos)
      event.fields[word.substr(0, equals)] = word.substr(equals + 1);
    else
      event.shape += (event.shape.empty() ? "" : " ") + word;
  }
  return event;
}

// An instance of the tracing system, in which the event is on while it lives.
class Trace {
 public:
  Trace() : path_(kTracing + "instances/pf_event/") {
    EXPECT_EQ(mkdir(path_.c_str(), 0700), 0) << errno;
    EXPECT_TRUE(WriteFile(path_ + "buffer_size_kb", "4096"));
    EXPECT_TRUE(WriteFile(path_ + kEvent + "enable", "1"));
  }
  ~Trace() {
    Stop();
    EXPECT_EQ(rmdir(path_.c_str()), 0) << errno;
  }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  void Stop() const { WriteFile(path_ + kEvent + "enable", "0"); }

  // Turns the event off, and returns those that fired.
  Events Take() const {
    static const std::string kName = ": " PF_EVENT_FAULT ": ";
    Stop();
    std::stringstream text(ReadFile(path_ + "trace"));
    Events events;
    for (std::string line; std::getline(text, line);) {
      const size_t at = line.find(kName);
      if (at != std::string::npos)
        events.push_back(Parse(line, at + kName.size()));
    }
    return events;
  }
  // Those of a thread.
  Events TakeOf(pid_t thread) const {
    Events events = Take();
    std::erase_if(events, [thread](const Event& event) {
      return event.thread != thread;
    });
    return events;
  }

 private:
  const std::string path_;
};

// A child faults once on each of so many pages.
void FaultOnPages(size_t pages) {
  RunToEnd([pages] {
    char* const memory = MapPages(pages);
    madvise(memory, pages * kPage, MADV_NOHUGEPAGE);
    WritePages(memory, pages);
  });
}

uint64_t Weights(const Events& events) {
  uint64_t sum = 0;
  for (const Event& event : events) sum += event.Number("weight");
  return sum;
}

uint64_t HostFaults() {
  return static_cast<uint64_t>(StatsNumber(ReadStats(), PF_COL_FAULTS));
}

class EventTest : public testing::Test {
 protected:
  void SetUp() override { SetRules("0", "1"); }

  static void SetRules(const std::string& slow_us, const std::string& sample) {
    if (slow_us != "0" || ReadParameter("slow_us") != "0\n") {
      ASSERT_TRUE(SetParameter("slow_us", slow_us));
    }
    ASSERT_TRUE(SetParameter("sample", sample));
  }
  static std::string ReadParameter(const std::string& name) {
    return ReadFile("/sys/module/page_faults/parameters/" + name);
  }
};

__attribute__((noinline)) void WriteHere(char* page) {
  *static_cast<volatile char*>(page) = 1;
}

TEST_F(EventTest, FiresForEachFaultWithItsAddress) {
  constexpr size_t kPages = 50;
  char* const memory = MapPages(kPages);
  Subject subject([memory] {
    for (size_t i = 0; i < kPages; ++i) WriteHere(memory + i * kPage + 7);
  });
  const Trace trace;
  subject.Act();
  const Table table = ReadTable();
  std::set<uint64_t> pages;
  for (const Event& event : trace.TakeOf(subject.pid())) {
    const uint64_t address = event.Number("address");
    const auto start = reinterpret_cast<uint64_t>(memory);
    if (address < start || address >= start + kPages * kPage) continue;
    EXPECT_TRUE(pages.insert(address).second) << "twice";
    EXPECT_EQ(address % kPage, 7u);
    EXPECT_EQ(event.shape, "minor write user anon");
    EXPECT_EQ(event.Number("weight"), 1u);
    EXPECT_EQ(event.Number("slow"), 0u);
    EXPECT_EQ(event.Number("inode"), 0u);
    EXPECT_EQ(event.Number("page"), 0u);
    EXPECT_EQ(event.fields.at("dev"), "0:0");
    EXPECT_GT(event.Number("ns"), 0u);
    EXPECT_LT(event.Number("ip") - reinterpret_cast<uint64_t>(WriteHere), 64u);
    const Row* row = table.FindOne(subject.pid());
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(event.fields.at("cgroup"), row->Text(PF_COL_CGROUP));
  }
  EXPECT_EQ(pages.size(), kPages);
  munmap(memory, kPages * kPage);
}

// The events of a child that does something to `pages` pages at `memory`.
Events EventsAt(const char* memory, size_t pages, const Subject::Work& act) {
  Subject subject(act);
  const Trace trace;
  subject.Act();
  Events events = trace.TakeOf(subject.pid());
  const auto start = reinterpret_cast<uint64_t>(memory);
  std::erase_if(events, [&](const Event& event) {
    return event.Number("address") - start >= pages * kPage;
  });
  return events;
}

// A mapping of the second half of a file.
class EventOfAFile : public EventTest {
 protected:
  void SetUp() override {
    EventTest::SetUp();
    fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ASSERT_GE(fd_, 0);
    ASSERT_EQ(ftruncate(fd_, 2 * kPages * kPage), 0);
    ASSERT_EQ(fstat(fd_, &status_), 0);
    memory_ =
        static_cast<char*>(mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE,
                                MAP_SHARED, fd_, kPages * kPage));
    ASSERT_NE(memory_, MAP_FAILED);
  }
  void TearDown() override {
    munmap(memory_, kPages * kPage);
    close(fd_);
    unlink(path_.c_str());
  }

  static constexpr size_t kPages = 8;
  std::string path_ = Disk("event-file");
  struct stat status_ {};
  char* memory_ = nullptr;
  int fd_ = -1;
};

TEST_F(EventOfAFile, NamesTheFileAndItsPage) {
  const Events events = EventsAt(memory_, kPages, [this] {
    for (size_t i = 0; i < kPages; i += 2) WriteHere(memory_ + i * kPage);
  });
  ASSERT_EQ(events.size(), kPages / 2);
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].fields.at("dev"),
              std::to_string(major(status_.st_dev)) + ":" +
                  std::to_string(minor(status_.st_dev)));
    EXPECT_EQ(events[i].Number("inode"), status_.st_ino);
    EXPECT_EQ(events[i].Number("page"), kPages + 2 * i);
    EXPECT_NE(events[i].shape.find("write user file"), std::string::npos)
        << events[i].shape;
  }
}

// As /proc/PID/maps shows it, also of a file in a container's overlayfs.
TEST_F(EventOfAFile, OnOverlayfsItIsWhatMapsShows) {
  const std::string root = Disk("event-overlay");
  for (const char* name : {"", "/lower", "/upper", "/work", "/merged"})
    mkdir((root + name).c_str(), 0700);
  WriteFile(root + "/lower/file", std::string(2 * kPage, 'x'));
  const std::string merged = root + "/merged";
  const std::string layers = "lowerdir=" + root + "/lower,upperdir=" + root +
                             "/upper,workdir=" + root + "/work";
  if (mount("overlay", merged.c_str(), "overlay", 0, layers.c_str()) != 0) {
    ASSERT_EQ(errno, ENODEV);
    GTEST_SKIP() << "no overlayfs in this guest; the part vm:event has it";
  }
  const int fd = open((merged + "/file").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  void* const file = mmap(nullptr, kPage, PROT_READ, MAP_SHARED, fd, 0);
  ASSERT_NE(file, MAP_FAILED);
  const Events events = EventsAt(static_cast<char*>(file), 1, [file] {
    static_cast<void>(*static_cast<volatile char*>(file));
  });
  std::stringstream maps(ReadFile("/proc/self/maps"));
  std::string line, shown;
  while (std::getline(maps, line))
    if (line.ends_with("/file")) shown = line;
  std::stringstream words(shown);
  std::string range, mode, offset, device;
  uint64_t inode = 0;
  words >> range >> mode >> offset >> device >> inode;
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].Number("inode"), inode) << shown;
  unsigned major_shown = 0, minor_shown = 0;
  sscanf(device.c_str(), "%x:%x", &major_shown, &minor_shown);
  EXPECT_EQ(events[0].fields.at("dev"),
            std::to_string(major_shown) + ":" + std::to_string(minor_shown));
  munmap(file, kPage);
  close(fd);
  EXPECT_EQ(umount(merged.c_str()), 0);
}

TEST_F(EventTest, SaysTheKindAndTheContext) {
  auto* const memory =
      static_cast<char*>(mmap(nullptr, kPage, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(memory, MAP_FAILED);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Events events = EventsAt(memory, 1, [memory, &ends] {
    if (write(ends[1], "x", 1) != 1 || read(ends[0], memory, 1) != 1) _exit(1);
  });
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].shape, "minor write kernel shmem");
  EXPECT_GT(events[0].Number("inode"), 0u);
  EXPECT_GT(events[0].Number("ip"), 0u);
  munmap(memory, kPage);
}

TEST_F(EventTest, AFaultOfAnotherProcessIsRemote) {
  char* const memory = MapPages(1);
  Subject owner([] {});
  const Events events = EventsAt(memory, 1, [memory, &owner] {
    char byte = 1;
    iovec local{&byte, 1}, there{memory, 1};
    if (process_vm_writev(owner.pid(), &local, 1, &there, 1, 0) != 1) _exit(1);
  });
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].shape, "minor write remote anon");
  munmap(memory, kPage);
}

// Not exactly: each CPU keeps up to 9 for later, and making the trace causes
// faults that it does not see.
TEST_F(EventTest, WeightsAddUpToTheFaults) {
  constexpr size_t kPages = 20000;
  SetRules("0", "10");
  const uint64_t before = HostFaults();
  uint64_t growth = 0;
  Events events;
  {
    const Trace trace;
    FaultOnPages(kPages);
    trace.Stop();  // since Take() causes faults
    growth = HostFaults() - before;
    events = trace.Take();
  }
  EXPECT_GE(growth, kPages);
  EXPECT_NEAR(static_cast<double>(Weights(events)), static_cast<double>(growth),
              500);
  EXPECT_NEAR(static_cast<double>(events.size()),
              static_cast<double>(growth) / 10, 100);
}

TEST_F(EventTest, AnotherNumberOfFaultsCountsAtOnce) {
  SetRules("0", "1000000");
  FaultOnPages(100);
  SetRules("0", "0");
  {
    const Trace trace;
    FaultOnPages(100);
    EXPECT_EQ(trace.Take().size(), 0u);
  }
  SetRules("0", "50");
  const Trace trace;
  FaultOnPages(1000);
  const Events events = trace.Take();
  EXPECT_GE(events.size(), 20u);
  for (const Event& event : events)
    EXPECT_EQ(event.Number("weight"), 50u) << "not what was counted before";
}

// The storm of one session leaves faults that did not fire. They are not in the
// weight of the next session's first one.
TEST_F(EventTest, SlowFaultsOfASessionStayInIt) {
  SetRules("1", "0");
  {
    const Trace trace;
    FaultOnPages(20000);
  }
  SetRules("10000", "0");
  const Trace trace;
  {
    Sleepers sleepers(1, [](char* page) {
      static_cast<void>(*static_cast<volatile char*>(page));
    });
    usleep(30000);
    sleepers.Wake();
  }
  const Events events = trace.Take();
  ASSERT_FALSE(events.empty());
  for (const Event& event : events) EXPECT_EQ(event.Number("weight"), 1u);
}

// The retry and the call that completes the fault are one fault.
TEST_F(EventTest, ASlowFaultFiresOnceWithTheTimeOfItsRetry) {
  SetRules("10000", "0");
  std::set<uint64_t> addresses;
  const Trace trace;
  {
    Sleepers sleepers(4, [](char* page) {
      static_cast<void>(*static_cast<volatile char*>(page));
    });
    usleep(30000);
    sleepers.Wake();
  }
  for (const Event& event : trace.Take()) {
    EXPECT_GT(event.Number("ns"), 10'000'000u);
    EXPECT_EQ(event.Number("slow"), 1u);
    EXPECT_EQ(event.Number("weight"), 1u);
    // In a busy guest faults of others are slow too.
    if (event.Number("ns") < 30'000'000 ||
        event.shape.find("read user anon") == std::string::npos)
      continue;
    EXPECT_TRUE(addresses.insert(event.Number("address")).second) << "twice";
  }
  EXPECT_GE(addresses.size(), 4u);
}

// Each fault takes longer than 1 us in this guest.
TEST_F(EventTest, ManySlowFaultsAreThinnedOut) {
  constexpr size_t kPages = 20000;
  SetRules("1", "0");
  const uint64_t before = HostFaults();
  Events events;
  {
    const Trace trace;
    FaultOnPages(kPages);
    events = trace.Take();
  }
  const uint64_t growth = HostFaults() - before;
  EXPECT_LT(events.size(), growth / 4);
  EXPECT_LE(Weights(events), growth);
  EXPECT_GT(Weights(events), growth / 2);
}

class EventUntimed : public EventTest {
 protected:
  void SetUp() override { ASSERT_EQ(LoadAfresh("latency=0"), 0); }
};

TEST_F(EventUntimed, FiresBySampleAlone) {
  EXPECT_EQ(ReadParameter("slow_us"), "0\n");
  SetRules("0", "1");
  char* const memory = MapPages(1);
  const Events events = EventsAt(memory, 1, [memory] { WriteHere(memory); });
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].Number("ns"), 0u);
  EXPECT_EQ(events[0].shape, "minor write user anon");
  munmap(memory, kPage);
}

TEST_F(EventUntimed, RefusesABoundForSlowFaults) {
  EXPECT_FALSE(SetParameter("slow_us", "1000"));
  EXPECT_EQ(ReadParameter("slow_us"), "0\n");
  EXPECT_TRUE(SetParameter("slow_us", "0"));
  EXPECT_TRUE(SetParameter("sample", "7"));
  EXPECT_EQ(LoadAfresh("latency=0 slow_us=1000"), EINVAL);
  EXPECT_EQ(LoadAfresh("slow_us=1000 latency=0"), EINVAL);
  EXPECT_EQ(LoadAfresh("slow_us=0 latency=0"), 0);
  EXPECT_EQ(LoadAfresh("latency=0"), 0);
}

TEST_F(EventTest, RefusesWhatIsOutOfRange) {
  for (const char* name : {"slow_us", "sample"})
    for (const char* value : {"-1", "x", "4000000000"})
      EXPECT_FALSE(SetParameter(name, value)) << name << "=" << value;
  EXPECT_EQ(ReadParameter("sample"), "1\n");
  EXPECT_EQ(LoadAfresh("sample=1000001"), EINVAL);
  EXPECT_EQ(LoadAfresh("slow_us=1000000001"), EINVAL);
  EXPECT_EQ(LoadAfresh(), 0);
}

// perf and BPF attach in this way. The kernel then holds the module.
TEST_F(EventTest, PerfCountsFaultsAndHoldsTheModule) {
  SetRules("0", "10");
  const std::string id = ReadFile(kTracing + kEvent + "id");
  ASSERT_NE(id, "");
  perf_event_attr attr{};
  attr.size = sizeof(attr);
  attr.type = PERF_TYPE_TRACEPOINT;
  attr.config = std::stoull(id);
  const int fd = static_cast<int>(syscall(SYS_perf_event_open, &attr, getpid(),
                                          -1, -1, PERF_FLAG_FD_CLOEXEC));
  ASSERT_GE(fd, 0) << errno;
  EXPECT_EQ(UnloadModule(), EWOULDBLOCK);
  constexpr size_t kPages = 1000;
  char* const memory = MapPages(kPages);
  madvise(memory, kPages * kPage, MADV_NOHUGEPAGE);
  WritePages(memory, kPages);
  munmap(memory, kPages * kPage);
  uint64_t count = 0;
  ASSERT_EQ(read(fd, &count, sizeof(count)),
            static_cast<ssize_t>(sizeof(count)));
  EXPECT_NEAR(static_cast<double>(count), kPages, 60);
  close(fd);
  EXPECT_EQ(UnloadPatiently(), 0);
}

// An event that is on in tracefs does not: it goes with the module.
TEST_F(EventTest, GoesWithTheModule) {
  const std::string enable = kTracing + kEvent + "enable";
  Crowd crowd(2, FaultRound);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(WriteFile(enable, "1"));
    ASSERT_TRUE(SetParameter("sample", "1"));
    ASSERT_EQ(LoadAfresh(), 0);
    EXPECT_EQ(ReadFile(enable), "0\n");
  }
  WriteFile(kTracing + "trace", "");
}

// Faults that began before the event was on do not fire.
TEST_F(EventTest, SwitchesUnderFaults) {
  const std::string enable = kTracing + kEvent + "enable";
  Crowd crowd(3, FaultRound);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(WriteFile(enable, "1"));
    ASSERT_TRUE(WriteFile(enable, "0"));
  }
  WriteFile(kTracing + "trace", "");
}

}  // namespace
}  // namespace pf_test
