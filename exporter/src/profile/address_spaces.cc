// SPDX-License-Identifier: Apache-2.0
#include "profile/address_spaces.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "source/file.h"

namespace pfe {
namespace {

constexpr size_t kMostCommBytes = 64;
// What it costs to read maps without a line, in bytes of maps.
constexpr size_t kBytesOfARead = 4096;
// The mappings of one process take at most this part of the room, and of what
// may be read.
constexpr size_t kPartOfAProcess = 4;

constexpr const char* kHeap = "[heap]";

size_t BytesOf(const Mapping& mapping) {
  return sizeof(Mapping) + mapping.name.size() + mapping.file.build_id.size();
}

// Memory without a file has //anon in records (perf_event_mmap_event()), and in
// maps no name, or one that the process gave it (PR_SET_VMA_ANON_NAME).
std::string NameWithoutAnon(std::string name) {
  return name == "//anon" || name.starts_with("[anon:") ? "" : std::move(name);
}

}  // namespace

AddressSpaces::Space::Space(const Space& other) : bytes_(other.bytes_) {
  for (const auto& [start, mapping] : other.mappings_) Insert(start, mapping);
}

AddressSpaces::Space::~Space() {
  for (const auto& [start, mapping] : mappings_) *bytes_ -= BytesOf(mapping);
}

void AddressSpaces::Space::Insert(uint64_t start, Mapping mapping) {
  *bytes_ += BytesOf(mapping);
  own_bytes_ += BytesOf(mapping);
  heaps_ += mapping.name == kHeap;
  mappings_.emplace(start, std::move(mapping));
}

Mapping AddressSpaces::Space::Remove(
    std::map<uint64_t, Mapping>::iterator* at) {
  Mapping mapping = std::move((*at)->second);
  *bytes_ -= BytesOf(mapping);
  own_bytes_ -= BytesOf(mapping);
  heaps_ -= mapping.name == kHeap;
  *at = mappings_.erase(*at);
  return mapping;
}

// What is left of a mapping before and behind the new one stays.
void AddressSpaces::Space::Add(uint64_t start, Mapping mapping) {
  const uint64_t end = mapping.end;
  auto at = mappings_.lower_bound(start);
  if (at != mappings_.begin() && std::prev(at)->second.end > start) --at;
  while (at != mappings_.end() && at->first < end) {
    const uint64_t begin = at->first;
    Mapping old = Remove(&at);
    if (old.end > end) {
      Mapping rest = old;
      rest.offset += end - begin;
      Insert(end, std::move(rest));
    }
    if (begin < start) {
      old.end = start;
      Insert(begin, std::move(old));
    }
  }
  Insert(start, std::move(mapping));
}

const Mapping* AddressSpaces::Space::Find(uint64_t address,
                                          uint64_t* start) const {
  const auto after = mappings_.upper_bound(address);
  if (after == mappings_.begin()) return nullptr;
  const auto at = std::prev(after);
  *start = at->first;
  return address < at->second.end ? &at->second : nullptr;
}

// Whether what is mapped there makes the heap larger. The kernel does not call
// it so while brk(2) is under way.
bool AddressSpaces::Space::GrowsHeap(uint64_t start) const {
  const auto at = mappings_.lower_bound(start);
  if (at != mappings_.end() && at->first == start && at->second.name == kHeap)
    return true;
  if (at == mappings_.begin()) return false;
  const Mapping& before = std::prev(at)->second;
  return before.name == kHeap && before.end >= start;
}

// Counts a mapping for which there is none.
bool AddressSpaces::HasRoom(const Space& space) {
  if (bytes_ < limits_.bytes &&
      space.own_bytes() < limits_.bytes / kPartOfAProcess)
    return true;
  ++left_out_;
  return false;
}

// The lines of proc(5): "start-end perms offset dev inode   name".
std::shared_ptr<AddressSpaces::Space> AddressSpaces::ParseMaps(
    const std::string& text) {
  auto space = std::make_shared<Space>(&bytes_);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    uint64_t start = 0;
    Mapping mapping;
    unsigned major = 0, minor = 0;
    int name_at = 0;
    if (std::sscanf(line.c_str(),
                    "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %x:%x %" SCNu64
                    " %n",
                    &start, &mapping.end, &mapping.offset, &major, &minor,
                    &mapping.file.inode, &name_at) != 6 ||
        mapping.end <= start)
      break;
    if (!HasRoom(*space)) break;
    mapping.file.device = makedev(major, minor);
    mapping.name = NameWithoutAnon(line.substr(static_cast<size_t>(name_at)));
    space->Add(start, std::move(mapping));
  }
  return space;
}

bool AddressSpaces::MayReadMaps(const Process& process) {
  if (maps_bytes_ > 0 && turn_ >= process.next_turn) return true;
  if (!process.space) ++put_off_;
  return false;
}

// A thread has a directory of its own below /proc, although it is not listed
// there. Maps are empty while the process exits: what was known stays.
void AddressSpaces::ReadMaps(uint32_t thread, Process* process) {
  const std::string path = procfs_ + "/" + std::to_string(thread) + "/maps";
  std::string text;
  const int error = ReadText(AT_FDCWD, path.c_str(), kMostMapsBytes, &text);
  maps_bytes_ -= static_cast<int64_t>(kBytesOfARead + text.size());
  process->next_turn =
      turn_ + 1 + kPartOfAProcess * text.size() / limits_.maps_bytes_a_turn;
  if (error != 0 || text.empty()) return;
  if (text.size() == kMostMapsBytes) {
    text.erase(text.rfind('\n') + 1);
    ++left_out_;
  }
  process->space.reset();  // it makes room
  process->space = ParseMaps(text);
  process->is_distrusted = false;
}

void AddressSpaces::TakeMap(const MapRecord& map) {
  const auto found = processes_.find(map.pid);
  const uint64_t end = map.start + map.size;
  if (found == processes_.end() || !found->second.space || end <= map.start ||
      !HasRoom(*found->second.space))
    return;
  std::shared_ptr<Space>& space = found->second.space;
  if (space.use_count() > 1) space = std::make_shared<Space>(*space);
  std::string name = NameWithoutAnon(map.name);
  if (name.empty() && space->GrowsHeap(map.start)) name = kHeap;
  space->Add(map.start,
             Mapping{end, map.offset, map.file, std::move(name), true});
}

// An exec takes all mappings away; the new ones follow as records.
void AddressSpaces::TakeComm(const CommRecord& comm) {
  if (comm.exec) {
    processes_[comm.pid] = Process();
    processes_[comm.pid].space = std::make_shared<Space>(&bytes_);
  } else if (comm.pid != comm.thread || !processes_.contains(comm.pid)) {
    return;  // the name of a thread, or of a process that is not known
  }
  processes_[comm.pid].comm = ToValidUtf8(comm.comm);
}

// A child has the mappings of its parent; a thread has those of its process.
// The children of a process with long maps are not read more often than it is.
void AddressSpaces::TakeFork(const ForkRecord& fork) {
  if (fork.pid == fork.parent) return;
  Process child;
  const auto parent = processes_.find(fork.parent);
  if (parent != processes_.end()) child = parent->second;
  child.exited = false;
  processes_[fork.pid] = std::move(child);
}

void AddressSpaces::Take(const Record& record) {
  if (const auto* map = std::get_if<MapRecord>(&record.content)) {
    TakeMap(*map);
  } else if (const auto* comm = std::get_if<CommRecord>(&record.content)) {
    TakeComm(*comm);
  } else if (const auto* fork = std::get_if<ForkRecord>(&record.content)) {
    TakeFork(*fork);
  } else if (const auto* exit = std::get_if<ExitRecord>(&record.content)) {
    const auto found = processes_.find(exit->pid);
    if (found != processes_.end() && exit->pid == exit->thread)
      found->second.exited = true;
  }
}

// Maps are read if they can tell more than what is known: the kernel writes no
// record for the stack that an exec makes, and none that names the heap.
const Mapping* AddressSpaces::Find(uint32_t pid, uint32_t thread,
                                   uint64_t address, uint64_t* start) {
  Process& process = processes_[pid];
  const auto find = [&]() -> const Mapping* {
    return process.space ? process.space->Find(address, start) : nullptr;
  };
  const Mapping* const known = find();
  // Memory of a record that has no name can be the first of a heap.
  const bool is_certain = known && !process.is_distrusted &&
                          (!known->is_of_record || !known->name.empty() ||
                           process.space->has_heap());
  const bool is_gone = process.exited && thread == pid;
  if (is_certain || is_gone || !MayReadMaps(process)) return known;
  if (known) gone_ = *known;
  const uint64_t gone_start = *start;
  ReadMaps(thread, &process);
  const Mapping* const found = find();
  if (found || !known) return found;
  // It was unmapped after the record of it.
  *start = gone_start;
  return &gone_;
}

void AddressSpaces::Clear() { processes_.clear(); }

std::string AddressSpaces::NameOf(const FaultSample& sample) {
  if (sample.is_remote) return "[another process]";
  uint64_t start = 0;
  const Mapping* const mapping =
      Find(sample.pid, sample.thread, sample.address, &start);
  if (!mapping) return "[unknown]";
  return mapping->name.empty() ? "[anonymous]" : mapping->name;
}

const std::string& AddressSpaces::Comm(uint32_t pid) {
  Process& process = processes_[pid];
  if (!process.exited && (process.comm.empty() ||
                          std::exchange(process.is_comm_distrusted, false))) {
    std::string text;
    if (ReadText(AT_FDCWD,
                 (procfs_ + "/" + std::to_string(pid) + "/comm").c_str(),
                 kMostCommBytes, &text) == 0)
      process.comm = ToValidUtf8(text.substr(0, text.find('\n')));
  }
  return process.comm;
}

void AddressSpaces::Follow(uint32_t pid) {
  Process& process = processes_[pid];
  if (!process.space && MayReadMaps(process)) ReadMaps(pid, &process);
  Comm(pid);
}

void AddressSpaces::Distrust() {
  for (auto& [pid, process] : processes_)
    process.is_distrusted = process.is_comm_distrusted = true;
}

void AddressSpaces::Forget() {
  ++turn_;
  maps_bytes_ =
      std::min(maps_bytes_ + static_cast<int64_t>(limits_.maps_bytes_a_turn),
               static_cast<int64_t>(limits_.first_maps_bytes));
  std::erase_if(processes_,
                [](const auto& item) { return item.second.exited; });
  if (processes_.size() > kMostProcesses) processes_.clear();
  // When maps may be read again is not forgotten: a process with long maps
  // would keep the others from being read.
  if (bytes_ < limits_.bytes) return;
  for (auto& [pid, process] : processes_) process.space.reset();
}

}  // namespace pfe
