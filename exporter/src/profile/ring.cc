// SPDX-License-Identifier: Apache-2.0
#include "profile/ring.h"

#include <linux/perf_event.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace pfe {

Ring::~Ring() {
  if (control_) munmap(control_, mapped_);
}

int Ring::Map(int event, size_t pages) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  mapped_ = (pages + 1) * page;
  void* const memory =
      mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
  if (memory == MAP_FAILED) return errno;
  control_ = static_cast<perf_event_mmap_page*>(memory);
  data_ = static_cast<const char*>(memory) + page;
  size_ = pages * page;
  return 0;
}

// The bytes of the record at a position. Its header is never cut by the end of
// the ring, because records are multiples of its 8 bytes.
std::string_view Ring::Record(uint64_t at) {
  const size_t begin = at & (size_ - 1);
  perf_event_header header;
  std::memcpy(&header, data_ + begin, sizeof(header));
  if (begin + header.size <= size_) return {data_ + begin, header.size};
  joined_.assign(data_ + begin, size_ - begin);
  joined_.append(data_, header.size - joined_.size());
  return joined_;
}

// Only the kernel writes data_head, and only this writes data_tail. The order
// of the accesses is that of perf_output_put_handle() (kernel/events/
// ring_buffer.c).
void Ring::Drain(const std::function<void(std::string_view)>& take) {
  if (!control_) return;
  const uint64_t head =
      std::atomic_ref(control_->data_head).load(std::memory_order_acquire);
  const std::atomic_ref tail_of_kernel(control_->data_tail);
  uint64_t tail = control_->data_tail;
  while (tail < head) {
    const std::string_view record = Record(tail);
    if (record.size() < sizeof(perf_event_header)) break;
    take(record);
    tail += record.size();
  }
  tail_of_kernel.store(tail, std::memory_order_release);
}

}  // namespace pfe
