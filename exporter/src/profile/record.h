// SPDX-License-Identifier: Apache-2.0
// What the kernel's perf events write into their ring buffers, parsed
// (perf_event_open(2), "MMAP layout"; include/uapi/linux/perf_event.h).
#ifndef EXPORTER_PROFILE_RECORD_H_
#define EXPORTER_PROFILE_RECORD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/process_table.h"
#include "profile/event_format.h"
#include "profile/user_registers.h"

namespace pfe {

// What a call path is unwound from.
struct UserStack {
  std::array<uint64_t, kUserRegisters.size()> registers{};  // in that order
  std::string bytes;  // from the stack pointer upwards
};

// A fault that a perf event reports.
struct FaultSample {
  uint32_t pid = 0;
  uint32_t thread = 0;
  uint64_t address = 0;  // that faulted
  uint64_t weight = 0;   // the number of faults that it stands for
  uint64_t ns = 0;       // how long the fault took; 0 if that is not measured
  uint64_t cgroup = 0;   // id of the control group; 0 if it is not known
  size_t severity = 0;   // index into kSeverityNames
  size_t kind = kKinds;  // index into kKindNames; kKinds if it is not known
  size_t access = kAccesses;  // index into kAccessNames; likewise
  // The address is one of another process, or of the program that exec starts.
  // Only the module's event says so.
  bool is_remote = false;
  // The program's instructions, the innermost first: the one that faulted, then
  // those to which the functions return. Empty for a kernel thread.
  std::vector<uint64_t> frames;
  // Null if the event copies none, or of a kernel thread or a 32-bit program.
  std::shared_ptr<const UserStack> stack;
};

// Tells a file from others with its path.
struct FileIdentity {
  uint64_t device = 0;   // as makedev(3)
  uint64_t inode = 0;    // 0 if it is not known, or there is no file
  std::string build_id;  // bytes; empty if it is not known
};

// A process maps a file or memory.
struct MapRecord {
  uint32_t pid = 0;
  uint64_t start = 0;
  uint64_t size = 0;
  uint64_t offset = 0;  // in the file, bytes
  FileIdentity file;
  std::string name;  // a path, or a name such as [heap] or //anon
};

// A process gets another name; by exec also another address space.
struct CommRecord {
  uint32_t pid = 0;
  uint32_t thread = 0;
  bool exec = false;
  std::string comm;
};

// A process or thread starts.
struct ForkRecord {
  uint32_t pid = 0;
  uint32_t parent = 0;
};

// A process or thread ends.
struct ExitRecord {
  uint32_t pid = 0;
  uint32_t thread = 0;
};

// The ring had no room for so many records.
struct LostRecord {
  uint64_t count = 0;
};

struct Record {
  uint64_t time = 0;  // of the perf clock, ns
  std::variant<std::monostate, FaultSample, MapRecord, CommRecord, ForkRecord,
               ExitRecord, LostRecord>
      content;
};

// Says what an event is by the id in its samples.
struct EventKind {
  bool is_fault_event = false;  // the module's trace event
  size_t severity = 0;          // of any other event's faults
  // For how many faults a sample stands; 0: each says it itself. The module's
  // event counts by its weight, and perf gives one sample each time it fires
  // only if the period is among the fields (perf_swevent_event(),
  // kernel/events/core.c).
  uint64_t period = 1;
  bool has_call_path = false;
  bool has_stack = false;  // registers, and kStackBytes of the stack
};

// How much of a stack a sample has.
inline constexpr uint32_t kStackBytes = 8192;

// The fields of an event's samples (perf_event_attr.sample_type).
uint64_t SampleType(const EventKind& kind);

// Parses one record with its header. Returns nothing if it is cut short, which
// no kernel writes. A type that is not known is std::monostate.
class RecordParser {
 public:
  // `format` is that of the module's event, if there is one.
  explicit RecordParser(const std::optional<FaultFormat>& format)
      : format_(format) {}
  // Tells what the samples with this id are.
  void Add(uint64_t id, EventKind kind) { kinds_.emplace_back(id, kind); }

  std::optional<Record> Parse(std::string_view bytes) const;

 private:
  bool TakeFault(std::string_view raw, FaultSample* sample) const;
  bool ParseSample(std::string_view payload, Record* record) const;

  std::optional<FaultFormat> format_;
  std::vector<std::pair<uint64_t, EventKind>> kinds_;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_RECORD_H_
