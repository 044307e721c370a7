// SPDX-License-Identifier: Apache-2.0
// What processes have mapped where.
#ifndef EXPORTER_PROFILE_ADDRESS_SPACES_H_
#define EXPORTER_PROFILE_ADDRESS_SPACES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "profile/record.h"

namespace pfe {

// A mapping; its range is the key and `end`.
struct Mapping {
  uint64_t end = 0;
  uint64_t offset = 0;  // of its start in the file, bytes
  FileIdentity file;
  std::string name;  // a path, or a name such as [heap]; empty: anonymous
  // Not seen in maps yet. The record of a heap or a stack has no name.
  bool is_of_record = false;
};

struct AddressSpaceLimits {
  // All mappings with their names; of one process a quarter of that. Further
  // ones are not noted.
  size_t bytes = 64 << 20;
  // Maps of all processes that are read: at first, and further ones each turn.
  // What a turn does not need is kept, up to the first number.
  size_t first_maps_bytes = 16 << 20;
  size_t maps_bytes_a_turn = 1 << 20;
};

// By records of the kernel, and by /proc/PID/maps. Maps are read only of a
// process that is asked for: a read holds its mmap_lock. A process that begins
// with an exec is known by records alone, so that it can be looked up after its
// exit. A process is kept until the first Forget() after its exit.
class AddressSpaces {
 public:
  // Of the maps of one process.
  static constexpr size_t kMostMapsBytes = 16 << 20;
  // If more are known, exits have gone unnoticed.
  static constexpr size_t kMostProcesses = 200'000;

  explicit AddressSpaces(std::string procfs, AddressSpaceLimits limits = {})
      : procfs_(std::move(procfs)),
        limits_(limits),
        maps_bytes_(static_cast<int64_t>(limits.first_maps_bytes)) {}

  void Take(const Record& record);
  // The mapping that has an address, and its start; null if none is known. The
  // pointer is valid until the next call. `thread` is any thread of the
  // process: the main thread can have ended before the others.
  const Mapping* Find(uint32_t pid, uint32_t thread, uint64_t address,
                      uint64_t* start);
  // What the address of a sample is in: a path, or a name such as [heap].
  std::string NameOf(const FaultSample& sample);
  // The comm of a process; empty if it is not known.
  const std::string& Comm(uint32_t pid);
  // Reads the maps of a process, unless that would be too much for this turn.
  void Follow(uint32_t pid);
  // Records were lost: what is known is read again before it is used, if it can
  // be.
  void Distrust();
  // Forgets all processes, as after a time without records.
  void Clear();
  // Begins a turn, and forgets the processes that have exited; of all of them
  // the mappings, if there is no room for more. The maps of a process are read
  // once a turn at most, and long ones less often.
  void Forget();
  // How often mappings were not noted, because of a limit.
  uint64_t left_out() const { return left_out_; }
  // How often maps were not read when they were needed, because reading them
  // takes too long.
  uint64_t put_off() const { return put_off_; }

 private:
  // The mappings of one address space by their starts. Counts its bytes.
  class Space {
   public:
    explicit Space(size_t* bytes) : bytes_(bytes) {}
    Space(const Space& other);
    Space& operator=(const Space&) = delete;
    ~Space();

    // Replaces what it covers.
    void Add(uint64_t start, Mapping mapping);
    // As AddressSpaces::Find().
    const Mapping* Find(uint64_t address, uint64_t* start) const;
    bool GrowsHeap(uint64_t start) const;
    bool has_heap() const { return heaps_ > 0; }
    size_t own_bytes() const { return own_bytes_; }

   private:
    void Insert(uint64_t start, Mapping mapping);
    Mapping Remove(std::map<uint64_t, Mapping>::iterator* at);

    size_t* const bytes_;
    size_t own_bytes_ = 0;
    size_t heaps_ = 0;  // mappings that are a part of the heap
    std::map<uint64_t, Mapping> mappings_;
  };

  struct Process {
    // Shared by parent and child until one of them changes it; null if it is
    // not known.
    std::shared_ptr<Space> space;
    std::string comm;
    uint64_t next_turn = 0;      // maps are not read before
    bool is_distrusted = false;  // the space
    bool is_comm_distrusted = false;
    bool exited = false;
  };

  // Whether maps may be read in this turn. Counts those that may not.
  bool MayReadMaps(const Process& process);
  void ReadMaps(uint32_t thread, Process* process);
  std::shared_ptr<Space> ParseMaps(const std::string& text);
  bool HasRoom(const Space& space);
  void TakeMap(const MapRecord& map);
  void TakeComm(const CommRecord& comm);
  void TakeFork(const ForkRecord& fork);

  const std::string procfs_;
  const AddressSpaceLimits limits_;
  size_t bytes_ = 0;
  uint64_t left_out_ = 0;
  uint64_t put_off_ = 0;
  int64_t maps_bytes_;  // may be read in this turn
  std::unordered_map<uint32_t, Process> processes_;
  Mapping gone_;       // see Find()
  uint64_t turn_ = 1;  // counts calls of Forget()
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_ADDRESS_SPACES_H_
