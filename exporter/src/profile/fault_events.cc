// SPDX-License-Identifier: Apache-2.0
#include "profile/fault_events.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "page_faults.h"
#include "source/file.h"

namespace pfe {
namespace {

constexpr size_t kMostFormatBytes = 65536;

Error OpenError(const char* what, int error) {
  std::string message = std::string(what) + ": " + strerror(error);
  if (error == EACCES || error == EPERM)
    message += ": it takes root, or CAP_PERFMON and CAP_SYS_PTRACE";
  return {error == EACCES || error == EPERM ? Cause::kNoPermission : Cause::kIo,
          message};
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
  attr.sample_id_all = 1;
  attr.exclude_callchain_kernel = 1;
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

}  // namespace

FaultEvents::~FaultEvents() {
  for (const int event : events_) close(event);
}

std::optional<Error> FaultEvents::OpenEvent(const perf_event_attr& attr,
                                            int cpu, EventKind kind,
                                            int* event) {
  perf_event_attr copy = attr;
  *event = static_cast<int>(
      syscall(SYS_perf_event_open, &copy, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC));
  if (*event < 0 && errno == EINVAL && copy.build_id) {  // before 5.12
    copy.build_id = 0;
    *event = static_cast<int>(
        syscall(SYS_perf_event_open, &copy, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC));
  }
  if (*event < 0) return OpenError("perf_event_open", errno);
  events_.push_back(*event);
  uint64_t id = 0;
  if (ioctl(*event, PERF_EVENT_IOC_ID, &id) != 0)
    return OpenError("PERF_EVENT_IOC_ID", errno);
  parser_->Add(id, kind);
  return std::nullopt;
}

// All events of a CPU write into the ring of the first one.
std::optional<Error> FaultEvents::OpenOn(int cpu, uint64_t trace_event,
                                         size_t pages) {
  int first = -1;
  if (auto error = OpenEvent(Tasks(), cpu, {}, &first)) return error;
  rings_.push_back(std::make_unique<Ring>());
  if (const int error = rings_.back()->Map(first, pages))
    return OpenError("the ring of a perf event", error);

  struct Wanted {
    uint32_t type;
    uint64_t config;
    EventKind kind;
  };
  const std::vector<Wanted> by_kernel = {
      {PERF_TYPE_SOFTWARE,
       PERF_COUNT_SW_PAGE_FAULTS_MIN,
       {false, 0, kMinorPeriod}},
      {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MAJ, {false, 1, 1}}};
  const std::vector<Wanted> by_module = {
      {PERF_TYPE_TRACEPOINT, trace_event, {true, 0, 1}}};
  for (const Wanted& wanted : by_module_ ? by_module : by_kernel) {
    perf_event_attr attr = Common();
    attr.type = wanted.type;
    attr.config = wanted.config;
    attr.sample_period = wanted.kind.period;
    if (by_module_) attr.sample_type = FaultSampleType();
    int event = -1;
    if (auto error = OpenEvent(attr, cpu, wanted.kind, &event)) return error;
    if (ioctl(event, PERF_EVENT_IOC_SET_OUTPUT, first) != 0)
      return OpenError("PERF_EVENT_IOC_SET_OUTPUT", errno);
  }
  return std::nullopt;
}

std::optional<Error> FaultEvents::Open(const std::string& tracefs) {
  const std::string directory =
      tracefs + "/events/" PF_EVENT_SYSTEM "/" PF_EVENT_FAULT "/";
  std::string id_text, format_text, cpus;
  std::optional<FaultFormat> format;
  uint64_t id = 0;
  if (ReadText(AT_FDCWD, (directory + "id").c_str(), 64, &id_text) == 0 &&
      ReadText(AT_FDCWD, (directory + "format").c_str(), kMostFormatBytes,
               &format_text) == 0) {
    format = FaultFormat::Parse(format_text);
    std::from_chars(id_text.data(), id_text.data() + id_text.size(), id);
    if (!format || id == 0)
      return Error{Cause::kMalformed, directory + "format: is not known"};
  }
  by_module_ = format.has_value();
  parser_.emplace(format);
  if (const int error =
          ReadText(AT_FDCWD, "/sys/devices/system/cpu/online", 4096, &cpus))
    return Error{Cause::kIo, std::string("/sys/devices/system/cpu/online: ") +
                                 strerror(error)};
  const std::vector<int> online = ParseCpus(cpus);
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t pages = std::max(
      kLeastPages,
      std::bit_floor(kRingBytes / page / std::max<size_t>(online.size(), 1)));
  for (const int cpu : online)
    if (auto error = OpenOn(cpu, id, pages)) return error;
  return std::nullopt;
}

void FaultEvents::Drain(std::vector<Record>* records) {
  const auto old = static_cast<ptrdiff_t>(records->size());
  for (const auto& ring : rings_)
    ring->Drain([&](std::string_view bytes) {
      if (auto record = parser_->Parse(bytes))
        records->push_back(std::move(*record));
    });
  std::stable_sort(
      records->begin() + old, records->end(),
      [](const Record& a, const Record& b) { return a.time < b.time; });
}

}  // namespace pfe
