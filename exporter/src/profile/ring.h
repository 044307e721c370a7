// SPDX-License-Identifier: Apache-2.0
// The ring buffer into which the kernel writes the records of one CPU
// (perf_event_open(2), "MMAP layout").
#ifndef EXPORTER_PROFILE_RING_H_
#define EXPORTER_PROFILE_RING_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

struct perf_event_mmap_page;

namespace pfe {

class Ring {
 public:
  Ring() = default;
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Maps the ring of an event; `pages` is a power of two. Returns 0 or an
  // errno.
  int Map(int event, size_t pages);

  // Passes the bytes of each record that is there to `take`, in the order of
  // writing, and makes room for new ones. Returns false if it met what cannot
  // be the header of a record: then the rest of what is there is left out.
  bool Drain(const std::function<void(std::string_view)>& take);

 private:
  std::string_view Record(uint64_t at, size_t most);

  perf_event_mmap_page* control_ = nullptr;
  const char* data_ = nullptr;
  size_t size_ = 0;     // of the data, bytes; a power of two
  size_t mapped_ = 0;   // bytes
  std::string joined_;  // a record that goes over the end of the ring
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_RING_H_
