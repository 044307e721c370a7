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
constexpr size_t kMostCpusBytes = 4096;

constexpr char kOnlineCpus[] = "/sys/devices/system/cpu/online";
constexpr char kCannotBeUsed[] = "the module's trace event cannot be used: ";
// The rate of samples is looked at so often.
constexpr uint64_t kAdaptNs = 100'000'000;
// More samples are taken again if so many times as many would still be few
// enough: a level gives 16 times as many.
constexpr uint64_t kRoomForMore = 64;

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

size_t RingPages(const FaultEventsSettings& settings, size_t cpus) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t least =
      settings.stacks ? FaultEvents::kLeastStackBytes / page : 0;
  return std::max(
      {FaultEvents::kLeastPages, std::bit_floor(least),
       std::bit_floor(settings.ring_bytes / page / std::max<size_t>(cpus, 1))});
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

std::string OnlineCpus() {
  std::string cpus;
  ReadText(AT_FDCWD, kOnlineCpus, kMostCpusBytes, &cpus);
  return cpus;
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
  for (std::vector<int>& samplers : samplers_) samplers.clear();
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

std::optional<FaultEvents::Failure> FaultEvents::OpenSampler(
    const Sampler& sampler, int cpu, int output) {
  int event = -1;
  if (auto failure = OpenEvent(sampler.attr, cpu, sampler.kind, &event))
    return failure;
  samplers_[sampler.level].push_back(event);
  if (ioctl(event, PERF_EVENT_IOC_SET_OUTPUT, output) != 0)
    return Failure{"PERF_EVENT_IOC_SET_OUTPUT", errno};
  return std::nullopt;
}

// All events of a CPU write into the ring of the first one.
std::optional<FaultEvents::Failure> FaultEvents::OpenOn(
    int cpu, const ModuleEvent& module, size_t pages) {
  int first = -1;
  if (auto failure = OpenEvent(TaskEvent(), cpu, {}, &first)) return failure;
  rings_.push_back(std::make_unique<Ring>());
  if (const int error = rings_.back()->Map(first, pages))
    return Failure{"the ring of a perf event", error};
  const auto id = module.format ? std::optional(module.id) : std::nullopt;
  for (const Sampler& sampler :
       Samplers(id, settings_.call_paths, settings_.stacks))
    if (auto failure = OpenSampler(sampler, cpu, first)) return failure;
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
    const auto failure = OpenOn(cpu, module, RingPages(settings_, cpus.size()));
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

std::optional<Error> FaultEvents::Open(const FaultEventsSettings& settings) {
  settings_ = settings;
  adapted_ns_ = ClockNs(kSampleClock);
  cpus_ = OnlineCpus();
  const std::vector<int> cpus = ParseCpus(cpus_);
  const ModuleEvent module = FindModuleEvent(settings.tracefs);
  why_not_module_ = module.why_not;
  module_id_ = module.id;
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
    if (const auto* lost = std::get_if<LostRecord>(&record->content)) {
      lost_ += lost->count;
      samples_ += lost->count;
    }
    samples_ += std::holds_alternative<FaultSample>(record->content);
    held_.push_back(std::move(*record));
  };
  for (const auto& ring : rings_)
    if (!ring->Drain(take)) ++unparsed_;
}

// What comes before a record on another CPU, such as the exec before a fault,
// was written before the record got its time. So of what is older than this
// moment the rings have all.
void FaultEvents::Drain(std::vector<Record>* records) {
  const uint64_t now = ClockNs(kSampleClock);
  ReadRings();
  TakeUntil(now, &held_, records);
  Adapt(now);
}

void FaultEvents::Adapt(uint64_t now) {
  const uint64_t passed = now - adapted_ns_;
  if (passed < kAdaptNs) return;
  const uint64_t rate = samples_ * 1'000'000'000 / passed;
  adapted_ns_ = now;
  samples_ = 0;
  if (rate > settings_.most_samples && level_ + 1 < kSampleLevels)
    SetLevel(level_ + 1);
  else if (rate * kRoomForMore < settings_.most_samples && level_ > 0)
    SetLevel(level_ - 1);
}

void FaultEvents::SetLevel(size_t level) {
  for (const int event : samplers_[level_])
    ioctl(event, PERF_EVENT_IOC_DISABLE, 0);
  for (const int event : samplers_[level])
    ioctl(event, PERF_EVENT_IOC_ENABLE, 0);
  level_ = level;
  was_thinned_ |= level > 0;
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
    held_.push_back({ClockNs(kSampleClock), LostRecord{lost - lost_}});
  TakeUntil(UINT64_MAX, &held_, records);
}

}  // namespace pfe
