// SPDX-License-Identifier: Apache-2.0
#include "profile/record.h"

#include <linux/perf_event.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace pfe {
namespace {

// Reads values from the front of bytes. After a read behind the end it is not
// good() any more, and all values are 0.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T Take() {
    T value{};
    const std::string_view from = TakeBytes(sizeof(T));
    if (from.size() == sizeof(T)) std::memcpy(&value, from.data(), sizeof(T));
    return value;
  }
  std::string_view TakeBytes(size_t size) {
    if (size > bytes_.size()) {
      good_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  // A text that ends with a zero byte, or with the bytes.
  std::string TakeText() const {
    return std::string(bytes_.substr(0, bytes_.find('\0')));
  }
  size_t left() const { return bytes_.size(); }
  bool good() const { return good_; }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

// At the end of each record that is no sample: pid and thread, time, id
// (struct sample_id).
constexpr size_t kTrailer = 24;

// The value of the event's field origin for a fault in an address space that is
// not that of the thread (page_faults.h).
constexpr uint64_t kRemote = 2;

// The addresses of the program in a call chain. Values above
// PERF_CONTEXT_MAX say of what the next ones are.
std::vector<uint64_t> UserFrames(Reader* reader) {
  std::vector<uint64_t> frames;
  const auto count = reader->Take<uint64_t>();
  const std::string_view bytes =
      count > reader->left() / sizeof(uint64_t)
          ? reader->TakeBytes(reader->left() + 1)
          : reader->TakeBytes(count * sizeof(uint64_t));
  Reader chain(bytes);
  bool user = false;
  while (chain.left() > 0) {
    const auto address = chain.Take<uint64_t>();
    if (address >= PERF_CONTEXT_MAX)
      user = address == PERF_CONTEXT_USER;
    else if (user)
      frames.push_back(address);
  }
  return frames;
}

// After the registers and the stack it says how much of the stack there was.
std::shared_ptr<const UserStack> ParseStack(Reader* reader) {
  auto stack = std::make_shared<UserStack>();
  const auto abi = reader->Take<uint64_t>();
  if (abi != PERF_SAMPLE_REGS_ABI_NONE) {
    std::array<uint64_t, kUserRegisters.size()> written{};
    for (uint64_t& value : written) value = reader->Take<uint64_t>();
    for (size_t i = 0; i < written.size(); ++i)
      stack->registers[i] = written[PlaceInSample(kUserRegisters[i])];
  }
  const auto size = reader->Take<uint64_t>();
  if (size > 0) {
    const std::string_view bytes = reader->TakeBytes(size);
    stack->bytes = bytes.substr(0, reader->Take<uint64_t>());
  }
  if (abi != PERF_SAMPLE_REGS_ABI_64) return nullptr;
  return stack;
}

MapRecord ParseMap(uint16_t misc, Reader* reader) {
  MapRecord map;
  map.pid = reader->Take<uint32_t>();
  reader->Take<uint32_t>();  // the thread
  map.start = reader->Take<uint64_t>();
  map.size = reader->Take<uint64_t>();
  map.offset = reader->Take<uint64_t>();
  Reader identity(reader->TakeBytes(24));
  if (misc & PERF_RECORD_MISC_MMAP_BUILD_ID) {
    const size_t size = identity.Take<uint8_t>();
    identity.TakeBytes(3);
    map.file.build_id = identity.TakeBytes(std::min<size_t>(size, 20));
  } else {
    const auto major = identity.Take<uint32_t>();
    map.file.device = makedev(major, identity.Take<uint32_t>());
    map.file.inode = identity.Take<uint64_t>();
  }
  reader->TakeBytes(8);  // protection and flags
  map.name = reader->TakeText();
  return map;
}

CommRecord ParseComm(uint16_t misc, Reader* reader) {
  CommRecord comm;
  comm.pid = reader->Take<uint32_t>();
  comm.thread = reader->Take<uint32_t>();
  comm.exec = misc & PERF_RECORD_MISC_COMM_EXEC;
  comm.comm = reader->TakeText();
  return comm;
}

ForkRecord ParseFork(Reader* reader) {
  ForkRecord fork;
  fork.pid = reader->Take<uint32_t>();
  fork.parent = reader->Take<uint32_t>();
  return fork;
}

ExitRecord ParseExit(Reader* reader) {
  ExitRecord exit;
  exit.pid = reader->Take<uint32_t>();
  reader->Take<uint32_t>();  // the parent
  exit.thread = reader->Take<uint32_t>();
  return exit;
}

}  // namespace

uint64_t SampleType(const EventKind& kind) {
  return PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
         PERF_SAMPLE_ADDR | (kind.period == 0 ? PERF_SAMPLE_PERIOD : 0) |
         (kind.has_call_path ? PERF_SAMPLE_CALLCHAIN : 0) | PERF_SAMPLE_RAW |
         (kind.has_stack ? PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER : 0);
}

// Takes what the module's event says over. Returns false if it lacks a field.
bool RecordParser::TakeFault(std::string_view raw, FaultSample* sample) const {
  const auto read = [&](FaultField field) {
    return format_ ? format_->Read(field, raw) : std::nullopt;
  };
  const auto address = read(FaultField::kAddress);
  const auto severity = read(FaultField::kSeverity);
  const auto access = read(FaultField::kAccess);
  const auto kind = read(FaultField::kKind);
  const auto ip = read(FaultField::kIp);
  const auto origin = read(FaultField::kOrigin);
  if (!address || !severity || !access || !kind || !ip || !origin) return false;
  sample->address = *address;
  sample->severity = std::min<size_t>(*severity, kSeverities - 1);
  sample->access = std::min<size_t>(*access, kAccesses);
  sample->kind = std::min<size_t>(*kind, kKinds);
  sample->is_remote = *origin == kRemote;
  sample->ns = read(FaultField::kNs).value_or(0);
  sample->cgroup = read(FaultField::kCgroup).value_or(0);
  if (sample->frames.empty() && *ip != 0) sample->frames.push_back(*ip);
  return true;
}

// The fields of the sample type, in the order of perf_event_open(2).
bool RecordParser::ParseSample(std::string_view payload, Record* record) const {
  Reader reader(payload);
  const auto id = reader.Take<uint64_t>();
  const auto known =
      std::find_if(kinds_.begin(), kinds_.end(),
                   [id](const auto& item) { return item.first == id; });
  if (known == kinds_.end()) return reader.good();
  const EventKind& kind = known->second;
  FaultSample sample;
  sample.pid = reader.Take<uint32_t>();
  sample.thread = reader.Take<uint32_t>();
  record->time = reader.Take<uint64_t>();
  sample.address = reader.Take<uint64_t>();
  sample.weight = kind.period == 0 ? reader.Take<uint64_t>() : kind.period;
  if (kind.has_call_path) sample.frames = UserFrames(&reader);
  const std::string_view raw = reader.TakeBytes(reader.Take<uint32_t>());
  if (kind.has_stack) sample.stack = ParseStack(&reader);
  if (!reader.good()) return false;
  sample.severity = kind.severity;
  if (kind.is_fault_event && !TakeFault(raw, &sample)) return false;
  record->content = std::move(sample);
  return true;
}

std::optional<Record> RecordParser::Parse(std::string_view bytes) const {
  Reader header(bytes);
  const auto type = header.Take<uint32_t>();
  const auto misc = header.Take<uint16_t>();
  const auto size = header.Take<uint16_t>();
  if (!header.good() || size != bytes.size()) return std::nullopt;
  const std::string_view payload = bytes.substr(8);
  Record record;
  if (type == PERF_RECORD_SAMPLE) {
    if (!ParseSample(payload, &record)) return std::nullopt;
    return record;
  }
  if (payload.size() < kTrailer) return std::nullopt;
  Reader trailer(payload.substr(payload.size() - kTrailer));
  trailer.Take<uint64_t>();
  record.time = trailer.Take<uint64_t>();
  Reader reader(payload.substr(0, payload.size() - kTrailer));
  switch (type) {
    case PERF_RECORD_MMAP2:
      record.content = ParseMap(misc, &reader);
      break;
    case PERF_RECORD_COMM:
      record.content = ParseComm(misc, &reader);
      break;
    case PERF_RECORD_FORK:
      record.content = ParseFork(&reader);
      break;
    case PERF_RECORD_EXIT:
      record.content = ParseExit(&reader);
      break;
    case PERF_RECORD_LOST:
      reader.Take<uint64_t>();  // the event's id
      record.content = LostRecord{reader.Take<uint64_t>()};
      break;
    case PERF_RECORD_LOST_SAMPLES:
      record.content = LostRecord{reader.Take<uint64_t>()};
      break;
    default:
      break;
  }
  if (!reader.good()) return std::nullopt;
  return record;
}

}  // namespace pfe
