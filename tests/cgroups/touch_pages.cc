// SPDX-License-Identifier: Apache-2.0
// Maps a part of a file and reads a byte of each page. Without readahead each
// page that is not cached is a major fault. One behind the end of the file is
// SIGBUS.
//
// usage: touch_pages FILE FIRST COUNT
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int file = open(argv[1], O_RDONLY | O_CLOEXEC);
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t first = std::strtoul(argv[2], nullptr, 10);
  const size_t count = std::strtoul(argv[3], nullptr, 10);
  void* const memory = mmap(nullptr, count * page, PROT_READ, MAP_PRIVATE, file,
                            static_cast<off_t>(first * page));
  if (memory == MAP_FAILED || madvise(memory, count * page, MADV_RANDOM) != 0)
    return 1;
  const auto* const bytes = static_cast<const volatile char*>(memory);
  for (size_t i = 0; i < count; ++i) static_cast<void>(bytes[i * page]);
}
