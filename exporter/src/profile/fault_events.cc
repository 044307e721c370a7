// SPDX-License-Identifier: Apache-2.0
#include "profile/fault_events.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "page_faults.h"
#include "source/file.h"

namespace pfe {
namespace {

constexpr size_t kMostFormatBytes = 65536;

constexpr char kOnlineCpus[] = "/sys/devices/system/cpu/online";
constexpr char kCannotBeUsed[] = "the module's trace event cannot be used: ";
// Of the records' times.
constexpr clockid_t kClock = CLOCK_MONOTONIC;

std::string Why(const std::string& path, int error) {
  return path + ": " + strerror(error);
}

// The CPUs in a list such as "0-3,6".
std::vector<int> ParseCpus(std::string_view text) {
  std::vector<int> cpus;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    int first = 0;
    auto parsed = std::from_chars(at, end, first);
    if (parsed.ec != std::errc()) break;
    int last = first;
    if (parsed.ptr < end && *parsed.ptr == '-')
      parsed = std::from_chars(parsed.ptr + 1, end, last);
    for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
    at = parsed.ptr + 1;
  }
  return cpus;
}

perf_event_attr Common() {
  perf_event_attr attr{};
  attr.size = sizeof(attr);
  attr.sample_type = SampleType();
  attr.read_format = PERF_FORMAT_LOST;
  attr.sample_id_all = 1;
  attr.exclude_callchain_kernel = 1;
  attr.use_clockid = 1;
  attr.clockid = kClock;
  return attr;
}

// Tells what processes map and how they are called.
perf_event_attr Tasks() {
  perf_event_attr attr = Common();
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_DUMMY;
  attr.mmap = attr.mmap_data = attr.mmap2 = 1;
  attr.comm = attr.comm_exec = attr.task = 1;
  attr.build_id = 1;
  return attr;
}

// An event that samples faults.
struct Sampler {
  perf_event_attr attr;
  EventKind kind;
};

Sampler OfKernel(uint64_t config, EventKind kind) {
  perf_event_attr attr = Common();
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = config;
  attr.sample_period = kind.period;
  return {attr, kind};
}

Sampler OfModule(uint64_t id) {
  perf_event_attr attr = Common();
  attr.type = PERF_TYPE_TRACEPOINT;
  attr.config = id;
  attr.sample_period = 1;
  attr.sample_type = FaultSampleType();
  return {attr, {true, 0, 1}};
}

std::vector<Sampler> Samplers(const ModuleEvent& module) {
  if (module.format) return {OfModule(module.id)};
  return {OfKernel(PERF_COUNT_SW_PAGE_FAULTS_MIN,
                   {false, 0, FaultEvents::kMinorPeriod}),
          OfKernel(PERF_COUNT_SW_PAGE_FAULTS_MAJ, {false, 1, 1})};
}

size_t RingPages(size_t cpus) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return std::max(FaultEvents::kLeastPages,
                  std::bit_floor(FaultEvents::kRingBytes / page /
                                 std::max<size_t>(cpus, 1)));
}

// Why there is no file for the event.
std::string WhyAbsent(const std::string& tracefs, const std::string& event) {
  const std::string events = tracefs + "/events";
  if (access(events.c_str(), F_OK) != 0)
    return "tracefs is not there: " + Why(events, errno);
  return "the module's trace event is not there: " + event;
}

// Reads the event. Returns why it cannot be used, if so.
std::string ReadModuleEvent(const std::string& tracefs, ModuleEvent* event) {
  const std::string id = event->path + "/id", format = event->path + "/format";
  std::string text;
  int error = ReadText(AT_FDCWD, id.c_str(), 64, &text);
  if (error == ENOENT) return WhyAbsent(tracefs, event->path);
  if (error != 0) return kCannotBeUsed + Why(id, error);
  std::from_chars(text.data(), text.data() + text.size(), event->id);
  if (event->id == 0) return kCannotBeUsed + id + ": it is no number";
  error = ReadText(AT_FDCWD, format.c_str(), kMostFormatBytes, &text);
  if (error != 0) return kCannotBeUsed + Why(format, error);
  event->format = FaultFormat::Parse(text);
  return event->format ? "" : kCannotBeUsed + format + ": it lacks fields";
}

}  // namespace

ModuleEvent FindModuleEvent(const std::string& tracefs) {
  ModuleEvent event;
  event.path = tracefs + "/events/" PF_EVENT_SYSTEM "/" PF_EVENT_FAULT;
  event.why_not = ReadModuleEvent(tracefs, &event);
  return event;
}

void TakeUntil(uint64_t until, std::vector<Record>* held,
               std::vector<Record>* records) {
  std::stable_sort(
      held->begin(), held->end(),
      [](const Record& a, const Record& b) { return a.time < b.time; });
  const auto newer = std::upper_bound(
      held->begin(), held->end(), until,
      [](uint64_t time, const Record& record) { return time < record.time; });
  records->insert(records->end(), std::make_move_iterator(held->begin()),
                  std::make_move_iterator(newer));
  held->erase(held->begin(), newer);
}

Error FaultEvents::Failure::ToError() const {
  const bool refused = error == EACCES || error == EPERM;
  std::string message = Why(call, error);
  if (refused)
    message +=
        ": it takes root, or CAP_PERFMON and CAP_SYS_PTRACE; a kernel that is "
        "locked down refuses it to everybody";
  return {refused ? Cause::kNoPermission : Cause::kIo, message};
}

FaultEvents::~FaultEvents() { Close(); }

void FaultEvents::Close() {
  rings_.clear();
  for (const int event : events_) close(event);
  events_.clear();
}

std::optional<FaultEvents::Failure> FaultEvents::OpenEvent(
    const perf_event_attr& attr, int cpu, EventKind kind, int* event) {
  perf_event_attr copy = attr;
  const auto open = [&copy, cpu] {
    return static_cast<int>(
        syscall(SYS_perf_event_open, &copy, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC));
  };
  *event = open();
  if (*event < 0 && errno == EINVAL) {  // before 6.0
    copy.read_format = 0;
    *event = open();
  }
  if (*event < 0 && errno == EINVAL && copy.build_id) {  // before 5.12
    copy.build_id = 0;
    *event = open();
  }
  if (*event < 0) return Failure{"perf_event_open", errno};
  events_.push_back(*event);
  uint64_t id = 0;
  if (ioctl(*event, PERF_EVENT_IOC_ID, &id) != 0)
    return Failure{"PERF_EVENT_IOC_ID", errno};
  parser_->Add(id, kind);
  return std::nullopt;
}

// All events of a CPU write into the ring of the first one.
std::optional<FaultEvents::Failure> FaultEvents::OpenOn(
    int cpu, const ModuleEvent& module, size_t pages) {
  int first = -1;
  if (auto failure = OpenEvent(Tasks(), cpu, {}, &first)) return failure;
  rings_.push_back(std::make_unique<Ring>());
  if (const int error = rings_.back()->Map(first, pages))
    return Failure{"the ring of a perf event", error};
  for (const Sampler& sampler : Samplers(module)) {
    int event = -1;
    if (auto failure = OpenEvent(sampler.attr, cpu, sampler.kind, &event))
      return failure;
    if (ioctl(event, PERF_EVENT_IOC_SET_OUTPUT, first) != 0)
      return Failure{"PERF_EVENT_IOC_SET_OUTPUT", errno};
  }
  return std::nullopt;
}

// ENODEV says that the CPU is offline by now.
std::optional<FaultEvents::Failure> FaultEvents::OpenAll(
    const std::vector<int>& cpus, const ModuleEvent& module) {
  Close();
  parser_.emplace(module.format);
  Failure skipped{kOnlineCpus, ENODEV};
  bool is_open = false;
  for (const int cpu : cpus) {
    const auto failure = OpenOn(cpu, module, RingPages(cpus.size()));
    if (!failure)
      is_open = true;
    else if (failure->error == ENODEV)
      skipped = *failure;
    else
      return failure;
  }
  if (is_open) return std::nullopt;
  return skipped;
}

std::optional<Error> FaultEvents::Open(const std::string& tracefs) {
  std::string text;
  if (const int error = ReadText(AT_FDCWD, kOnlineCpus, 4096, &text))
    return Error{Cause::kIo, Why(kOnlineCpus, error)};
  const std::vector<int> cpus = ParseCpus(text);
  const ModuleEvent module = FindModuleEvent(tracefs);
  why_not_module_ = module.why_not;
  if (module.format) {
    const auto failure = OpenAll(cpus, module);
    by_module_ = !failure;
    if (by_module_) return std::nullopt;
    why_not_module_ =
        kCannotBeUsed + module.path + ": " + failure->ToError().message;
  }
  if (const auto failure = OpenAll(cpus, {})) return failure->ToError();
  return std::nullopt;
}

void FaultEvents::ReadRings() {
  const auto take = [this](std::string_view bytes) {
    auto record = parser_->Parse(bytes);
    if (!record) {
      ++unparsed_;
      return;
    }
    if (const auto* lost = std::get_if<LostRecord>(&record->content))
      lost_ += lost->count;
    held_.push_back(std::move(*record));
  };
  for (const auto& ring : rings_)
    if (!ring->Drain(take)) ++unparsed_;
}

// What comes before a record on another CPU, such as the exec before a fault,
// was written before the record got its time. So of what is older than this
// moment the rings have all.
void FaultEvents::Drain(std::vector<Record>* records) {
  const uint64_t now = ClockNs(kClock);
  ReadRings();
  TakeUntil(now, &held_, records);
}

// What all rings had no room for; 0 before 6.0.
uint64_t FaultEvents::CountLost() const {
  struct {
    uint64_t value, lost;
  } counts{};
  uint64_t sum = 0;
  for (const int event : events_)
    if (read(event, &counts, sizeof(counts)) == sizeof(counts))
      sum += counts.lost;
  return sum;
}

void FaultEvents::DrainAll(std::vector<Record>* records) {
  ReadRings();
  if (const uint64_t lost = CountLost(); lost > lost_)
    held_.push_back({ClockNs(kClock), LostRecord{lost - lost_}});
  TakeUntil(UINT64_MAX, &held_, records);
}

}  // namespace pfe
