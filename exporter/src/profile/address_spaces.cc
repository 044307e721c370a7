// SPDX-License-Identifier: Apache-2.0
#include "profile/address_spaces.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

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

constexpr size_t kMostMapsBytes = 16 << 20;
constexpr size_t kMostCommBytes = 64;

// The kernel's name for memory without a file (perf_event_mmap_event()).
constexpr std::string_view kAnonymous = "//anon";
constexpr const char* kHeap = "[heap]";

// Cuts a range out of the mappings. What is left of a mapping stays.
void Cut(uint64_t start, uint64_t end, std::map<uint64_t, Mapping>* mappings) {
  auto at = mappings->lower_bound(start);
  if (at != mappings->begin() && std::prev(at)->second.end > start) --at;
  while (at != mappings->end() && at->first < end) {
    Mapping mapping = std::move(at->second);
    const uint64_t begin = at->first;
    at = mappings->erase(at);
    if (mapping.end > end) {
      Mapping rest = mapping;
      rest.offset += end - begin;
      mappings->emplace(end, std::move(rest));
    }
    if (begin < start) {
      mapping.end = start;
      mappings->emplace(begin, std::move(mapping));
    }
  }
}

// Whether what is mapped there makes the heap larger. The kernel does not call
// it so while brk(2) is under way.
bool GrowsHeap(uint64_t start, const std::map<uint64_t, Mapping>& mappings) {
  const auto at = mappings.lower_bound(start);
  if (at != mappings.end() && at->first == start && at->second.name == kHeap)
    return true;
  if (at == mappings.begin()) return false;
  const Mapping& before = std::prev(at)->second;
  return before.name == kHeap && before.end >= start;
}

}  // namespace

// Reads /proc/PID/maps (proc(5)): "start-end perms offset dev inode   name". It
// is empty while the process exits, so what was known stays.
void AddressSpaces::ReadMaps(uint32_t pid, Process* process) {
  const std::string directory = procfs_ + "/" + std::to_string(pid);
  std::string text;
  process->read_turn = turn_;
  if (process->comm.empty() && ReadText(AT_FDCWD, (directory + "/comm").c_str(),
                                        kMostCommBytes, &text) == 0)
    process->comm = ToValidUtf8(text.substr(0, text.find('\n')));
  if (ReadText(AT_FDCWD, (directory + "/maps").c_str(), kMostMapsBytes,
               &text) != 0)
    return;
  auto mappings = std::make_shared<Mappings>(*process->mappings);
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
        mappings->size() == kMostMappings)
      break;
    mapping.file.device = makedev(major, minor);
    mapping.name = line.substr(static_cast<size_t>(name_at));
    Cut(start, mapping.end, mappings.get());
    mappings->emplace(start, std::move(mapping));
  }
  process->mappings = std::move(mappings);
}

// A process that is not followed is read, which tells of its past too.
AddressSpaces::Process& AddressSpaces::Get(uint32_t pid) {
  const auto [at, is_new] = processes_.try_emplace(pid);
  if (is_new) ReadMaps(pid, &at->second);
  return at->second;
}

void AddressSpaces::TakeMap(const MapRecord& map) {
  const auto found = processes_.find(map.pid);
  const uint64_t end = map.start + map.size;
  if (found == processes_.end() || end <= map.start) return;
  Process& process = found->second;
  if (process.mappings.use_count() > 1)
    process.mappings = std::make_shared<Mappings>(*process.mappings);
  std::string name = map.name == kAnonymous ? "" : map.name;
  if (name.empty() && GrowsHeap(map.start, *process.mappings)) name = kHeap;
  Cut(map.start, end, process.mappings.get());
  if (process.mappings->size() == kMostMappings) return;
  process.mappings->emplace(
      map.start, Mapping{end, map.offset, map.file, std::move(name)});
}

// An exec takes all mappings away; the new ones follow as records.
void AddressSpaces::TakeComm(const CommRecord& comm) {
  if (comm.exec) {
    processes_[comm.pid] = Process();
  } else if (comm.pid != comm.thread || !processes_.contains(comm.pid)) {
    return;  // the name of a thread, or of a process that is not followed
  }
  processes_[comm.pid].comm = ToValidUtf8(comm.comm);
}

// A child has the mappings of its parent; a thread has those of its process.
void AddressSpaces::TakeFork(const ForkRecord& fork) {
  if (fork.pid == fork.parent) return;
  const Process parent = Get(fork.parent);
  Process& child = processes_[fork.pid];
  child = Process();
  child.mappings = parent.mappings;
  child.comm = parent.comm;
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

const Mapping* AddressSpaces::Find(uint32_t pid, uint64_t address,
                                   uint64_t* start) {
  Process& process = Get(pid);
  for (;;) {
    const auto after = process.mappings->upper_bound(address);
    if (after != process.mappings->begin()) {
      const auto at = std::prev(after);
      *start = at->first;
      if (address < at->second.end) return &at->second;
    }
    // The kernel writes no record for the stack that an exec makes.
    if (process.read_turn == turn_ || process.exited) return nullptr;
    ReadMaps(pid, &process);
  }
}

const std::string& AddressSpaces::Comm(uint32_t pid) { return Get(pid).comm; }

void AddressSpaces::Forget() {
  ++turn_;
  std::erase_if(processes_,
                [](const auto& item) { return item.second.exited; });
}

}  // namespace pfe
