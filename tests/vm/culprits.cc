// SPDX-License-Identifier: Apache-2.0
// Programs that fault in a known place: each is a culprit that --explain has to
// name. Compiled with frame pointers, and, with OMIT_FRAMES, without; its
// functions are not inlined.
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#ifdef __clang__  // clang-tidy; it does not know noclone
#define APART [[gnu::noinline]]
#else
#define APART [[gnu::noinline, gnu::noclone]]
#endif

namespace culprit {

constexpr size_t kPage = 4096;
constexpr size_t kSize = 8 << 20;

[[noreturn]] void Die(const char* what) {
  perror(what);
  exit(1);
}

// Makes a frame for a function that calls no other, so that the kernel finds
// who called it.
#ifdef OMIT_FRAMES
#define MAKE_FRAME()
#else
#define MAKE_FRAME() asm volatile("" : : "r"(__builtin_frame_address(0)))
#endif

APART void TouchNewPages(char* memory) {
  MAKE_FRAME();
  for (size_t i = 0; i < kSize; i += kPage)
    *static_cast<volatile char*>(memory + i) = 1;
}

APART void GrowHeap() {
  MAKE_FRAME();
  for (int i = 0; i < 8; ++i) {
    auto* const memory = static_cast<char*>(sbrk(kSize));
    if (memory == reinterpret_cast<char*>(-1)) Die("sbrk");
    TouchNewPages(memory);
  }
}

// Each time in a new process, so that the heap does not fill the memory.
void Heap() {
  static_cast<void>(sbrk(kPage));  // the heap is there before it grows
  for (;;) {
    const pid_t pid = fork();
    if (pid == 0) {
      GrowHeap();
      _exit(0);
    }
    waitpid(pid, nullptr, 0);
  }
}

APART void ReadAtRandom(const char* file) {
  MAKE_FRAME();
  unsigned state = 1;
  for (int i = 0; i < 4000; ++i) {
    state = state * 1664525 + 1013904223;
    static_cast<void>(*static_cast<const volatile char*>(
        file + (state >> 8) % (kSize / kPage) * kPage));
  }
}

void File(const char* path) {
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, kSize) != 0) Die(path);
  const std::string page(kPage, 'x');
  for (size_t i = 0; i < kSize; i += kPage)
    if (write(fd, page.data(), kPage) < 0) Die(path);
  fsync(fd);
  for (;;) {
    posix_fadvise(fd, 0, kSize, POSIX_FADV_DONTNEED);
    void* const file = mmap(nullptr, kSize, PROT_READ, MAP_SHARED, fd, 0);
    if (file == MAP_FAILED) Die("mmap");
    madvise(file, kSize, MADV_RANDOM);
    ReadAtRandom(static_cast<const char*>(file));
    munmap(file, kSize);
  }
}

APART void ChangeWhileSaving(char* data) {
  MAKE_FRAME();
  for (size_t i = 0; i < kSize; i += kPage)
    *static_cast<volatile char*>(data + i) = 2;
}

// As a database does that saves itself from a child: the parent changes what
// the child still has.
void CopyOnWrite() {
  auto* const data =
      static_cast<char*>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  madvise(data, kSize, MADV_NOHUGEPAGE);
  memset(data, 1, kSize);
  for (;;) {
    const pid_t pid = fork();
    if (pid == 0) {
      prctl(PR_SET_NAME, "saver");
      pause();
    }
    ChangeWhileSaving(data);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
}

APART void ReadBack(const char* data) {
  MAKE_FRAME();
  for (size_t i = 0; i < kSize; i += kPage)
    static_cast<void>(*static_cast<const volatile char*>(data + i));
}

// In a control group that has not room for all of it.
void SwapIn() {
  void* const data = mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) Die("mmap");
  madvise(data, kSize, MADV_NOHUGEPAGE);
  memset(data, 1, kSize);
  for (;;) ReadBack(static_cast<const char*>(data));
}

APART void FillSegment(char* segment) {
  MAKE_FRAME();
  for (size_t i = 0; i < kSize; i += kPage)
    *static_cast<volatile char*>(segment + i) = 1;
}

void SharedMemory() {
  for (;;) {
    const int id = shmget(IPC_PRIVATE, kSize, 0600);
    if (id < 0) Die("shmget");
    auto* const segment = static_cast<char*>(shmat(id, nullptr, 0));
    shmctl(id, IPC_RMID, nullptr);
    FillSegment(segment);
    shmdt(segment);
  }
}

APART void WorkOfAChild() {
  MAKE_FRAME();
  static char memory[256 * kPage];
  for (size_t i = 0; i < sizeof(memory); i += kPage)
    *static_cast<volatile char*>(memory + i) = 1;
}

// A thousand children, each of which lives for a moment.
void Forks() {
  for (;;) {
    const pid_t pid = fork();
    if (pid == 0) {
      WorkOfAChild();
      _exit(0);
    }
    waitpid(pid, nullptr, 0);
  }
}

// Each child is a new program, which exits at once.
void Execs(const char* self) {
  for (;;) {
    const pid_t pid = fork();
    if (pid == 0) {
      execl(self, "culprit-child", "child", nullptr);
      _exit(127);
    }
    waitpid(pid, nullptr, 0);
  }
}

}  // namespace culprit

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "heap") culprit::Heap();
  if (what == "file" && argc > 2) culprit::File(argv[2]);
  if (what == "cow") culprit::CopyOnWrite();
  if (what == "shm") culprit::SharedMemory();
  if (what == "swap") culprit::SwapIn();
  if (what == "forks") culprit::Forks();
  if (what == "execs") culprit::Execs(argv[0]);
  if (what == "child") {
    culprit::WorkOfAChild();
    return 0;
  }
  fprintf(stderr,
          "usage: culprits heap|file PATH|cow|shm|swap|forks|execs|child\n");
  return 2;
}
