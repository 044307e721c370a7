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

// The bytes of the record at a position; none if its header is broken, or says
// more than `most`. The end of the ring never cuts a header, because records
// are multiples of its 8 bytes.
std::string_view Ring::Record(uint64_t at, size_t most) {
  const size_t begin = at & (size_ - 1);
  perf_event_header header;
  std::memcpy(&header, data_ + begin, sizeof(header));
  if (header.size == 0 || header.size % sizeof(header) != 0 ||
      header.size > most)
    return {};
  if (begin + header.size <= size_) return {data_ + begin, header.size};
  joined_.assign(data_ + begin, size_ - begin);
  joined_.append(data_, header.size - joined_.size());
  return joined_;
}

// Only the kernel writes data_head, and only this writes data_tail. The order
// of the accesses is that of perf_output_put_handle() (kernel/events/
// ring_buffer.c).
bool Ring::Drain(const std::function<void(std::string_view)>& take) {
  if (!control_) return true;
  const uint64_t head =
      std::atomic_ref(control_->data_head).load(std::memory_order_acquire);
  uint64_t left = head - control_->data_tail;
  bool good = left <= size_;
  while (good && left > 0) {
    const std::string_view record = Record(head - left, left);
    good = !record.empty();
    if (good) take(record);
    left -= record.size();
  }
  std::atomic_ref(control_->data_tail).store(head, std::memory_order_release);
  return good;
}

}  // namespace pfe
