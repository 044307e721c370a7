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
};

// By records of the kernel. A process is followed from its fork on, or from its
// first sample: then, and when an address is in no known mapping, its mappings
// are read from procfs and added. It is kept until the first Forget() after its
// exit.
class AddressSpaces {
 public:
  // The most mappings of a process; the kernel's own limit is usually 65530
  // (vm.max_map_count). More are not noted.
  static constexpr size_t kMostMappings = 100'000;

  explicit AddressSpaces(std::string procfs) : procfs_(std::move(procfs)) {}

  void Take(const Record& record);
  // The mapping that has an address, and its start; null if none is known. The
  // pointer is valid until the next call.
  const Mapping* Find(uint32_t pid, uint64_t address, uint64_t* start);
  // The comm of a process; empty if it is not known.
  const std::string& Comm(uint32_t pid);
  // Forgets the processes that have exited.
  void Forget();

 private:
  using Mappings = std::map<uint64_t, Mapping>;  // by start
  struct Process {
    // Shared by parent and child until one of them changes it.
    std::shared_ptr<Mappings> mappings = std::make_shared<Mappings>();
    std::string comm;
    uint64_t read_turn = 0;  // when it was read from procfs; 0: never
    bool exited = false;
  };

  Process& Get(uint32_t pid);
  void ReadMaps(uint32_t pid, Process* process);
  void TakeMap(const MapRecord& map);
  void TakeComm(const CommRecord& comm);
  void TakeFork(const ForkRecord& fork);

  const std::string procfs_;
  std::unordered_map<uint32_t, Process> processes_;
  uint64_t turn_ = 1;  // counts calls of Forget()
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_ADDRESS_SPACES_H_
