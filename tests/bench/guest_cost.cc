// SPDX-License-Identifier: Apache-2.0
// Counts guest instructions: of a fault, of a row of the table, of /proc.
//
// Runs in a guest under QEMU with -icount shift=0: virtual time then advances
// by 1 ns an instruction and the TSC counts instructions exactly. The minimum
// over many batches leaves out those that an interrupt fell into.
//
//   guest_cost fault WORKLOAD [EXTRA_VMAS]   instructions a fault
//   guest_cost table                         instructions a row of `processes`
//   guest_cost read                          instructions to read `processes`
//   guest_cost proc                          instructions to read stat and
//                                            statm of a process
//   guest_cost sleepers N                    starts N sleeping processes
//   guest_cost threads N                     starts N sleeping threads
//   guest_cost retry                         starts a thread that is told to
//                                            retry a fault and does not
//
// Each prints one number (sleepers, threads: N, when all of them sleep; retry:
// 1, when it is so).
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace {

constexpr size_t kPage = 4096;
constexpr size_t kPages = 400;  // a batch; short enough to miss most ticks
constexpr size_t kSize = kPage * kPages;
constexpr int kBatches = 60;
const char kTable[] = "/sys/kernel/debug/page_faults/processes";

[[noreturn]] void Die(const char* what) {
  perror(what);
  exit(1);
}

char* Map(int flags, int fd = -1) {
  void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (memory == MAP_FAILED) Die("mmap");
  madvise(memory, kSize, MADV_NOHUGEPAGE);
  return static_cast<char*>(memory);
}

void Write(char* memory) {
  for (size_t i = 0; i < kSize; i += kPage)
    *static_cast<volatile char*>(memory + i) = 1;
}

void Read(char* memory) {
  for (size_t i = 0; i < kSize; i += kPage)
    static_cast<void>(*static_cast<volatile char*>(memory + i));
}

// `make` makes the memory for a batch, and `touch` makes it fault.
struct Workload {
  std::function<char*()> make;
  void (*touch)(char*);
};

char* MakeCopyOnWrite() {
  char* memory = Map(MAP_PRIVATE | MAP_ANONYMOUS);
  Write(memory);
  static pid_t sharer;
  if (sharer) {
    kill(sharer, SIGKILL);
    waitpid(sharer, nullptr, 0);
  }
  sharer = fork();
  if (sharer == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  usleep(2000);
  return memory;
}

char* MakeFile() {
  static const int fd = [] {
    const char* path = getenv("PF_BENCH_FILE");
    const int file = open(path ? path : "/disk/bench", O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, kSize)) Die("bench file");
    return file;
  }();
  return Map(MAP_SHARED, fd);
}

const std::map<std::string, Workload> kWorkloads = {
    {"anon-write", {[] { return Map(MAP_PRIVATE | MAP_ANONYMOUS); }, Write}},
    {"anon-read", {[] { return Map(MAP_PRIVATE | MAP_ANONYMOUS); }, Read}},
    {"cow", {MakeCopyOnWrite, Write}},
    {"file-write", {MakeFile, Write}},
};

unsigned long long FaultCost(const Workload& workload) {
  unsigned long long best = ~0ULL;
  for (int batch = 0; batch < kBatches; ++batch) {
    char* memory = workload.make();
    const unsigned long long start = __rdtsc();
    workload.touch(memory);
    best = std::min(best, __rdtsc() - start);
    munmap(memory, kSize);
  }
  return best / kPages;
}

// Makes mappings that do not merge, so that a fault's VMA is one of many.
void MakeVmas(int n) {
  for (int i = 0; i < n; ++i)
    if (mmap(nullptr, kPage, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
      Die("mmap");
}

char g_buffer[1 << 16];

// Reads a file to its end and counts its lines.
size_t ReadFile(const char* path) {
  const int fd = open(path, O_RDONLY);
  if (fd < 0) Die(path);
  size_t lines = 0;
  ssize_t n;
  while ((n = read(fd, g_buffer, sizeof(g_buffer))) > 0)
    lines += static_cast<size_t>(std::count(g_buffer, g_buffer + n, '\n'));
  close(fd);
  return lines;
}

unsigned long long ReadCost() {
  unsigned long long best = ~0ULL;
  for (int i = 0; i < 10; ++i) {
    const int fd = open(kTable, O_RDONLY);
    if (fd < 0) Die(kTable);
    const unsigned long long start = __rdtsc();
    while (read(fd, g_buffer, sizeof(g_buffer)) > 0) {
    }
    best = std::min(best, __rdtsc() - start);
    close(fd);
  }
  return best;
}

// Instructions for each row. Three lines of the table are not rows.
unsigned long long TableCost() {
  const size_t lines = ReadFile(kTable);
  if (lines <= 3) {
    fprintf(stderr, "%s has no rows\n", kTable);
    exit(1);
  }
  return ReadCost() / (lines - 3);
}

std::vector<std::string> RowPids() {
  FILE* table = fopen(kTable, "r");
  if (!table) Die("processes");
  std::vector<std::string> pids;
  static char line[8192];
  while (fgets(line, sizeof(line), table))
    if (line[0] >= '0' && line[0] <= '9' && strstr(line, "\tlive\t"))
      pids.emplace_back(line, strcspn(line, "\t"));
  fclose(table);
  return pids;
}

unsigned long long ProcCost() {
  std::vector<std::string> paths;
  for (const std::string& pid : RowPids()) {
    if (pid == std::to_string(getpid())) continue;
    paths.push_back("/proc/" + pid + "/stat");
    paths.push_back("/proc/" + pid + "/statm");
  }
  unsigned long long best = ~0ULL;
  for (int i = 0; i < 10; ++i) {
    const unsigned long long start = __rdtsc();
    for (const std::string& path : paths) {
      const int fd = open(path.c_str(), O_RDONLY);
      if (fd < 0) Die(path.c_str());
      while (read(fd, g_buffer, sizeof(g_buffer)) > 0) {
      }
      close(fd);
    }
    best = std::min(best, __rdtsc() - start);
  }
  return best / (paths.size() / 2);
}

// Processes that sleep until their parent, this process, is killed.
void Sleepers(int n) {
  for (int i = 0; i < n; ++i) {
    const pid_t pid = fork();
    if (pid < 0) Die("fork");
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) pause();
    }
  }
  printf("%d\n", n);
  fflush(stdout);
  for (;;) pause();
}

void* Sleep(void*) {
  for (;;) pause();
}

// Threads that sleep as long as this process.
void Threads(int n) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 1 << 14);
  for (int i = 0; i < n; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, &small, Sleep, nullptr)) Die("pthread_create");
  }
  printf("%d\n", n);
  fflush(stdout);
  for (;;) pause();
}

volatile sig_atomic_t g_stays = 0;

// Makes the stack below resident, so that a signal needs no fault.
[[gnu::noinline]] void TouchStack() {
  volatile char stack[16 * kPage];
  for (size_t i = 0; i < sizeof(stack); i += kPage / 4) stack[i] = 1;
}

void* Touch(void* page) {
  TouchStack();
  static_cast<void>(*static_cast<volatile char*>(page));
  return nullptr;
}

// A thread waits in a fault for a userfaultfd. A signal interrupts the fault,
// and its handler never returns. So the thread takes no fault any more.
void Retry() {
  char* memory = Map(MAP_PRIVATE | MAP_ANONYMOUS);
  const int fd = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC));
  uffdio_api api{UFFD_API, 0, 0};
  uffdio_register range{{reinterpret_cast<uint64_t>(memory), kSize},
                        UFFDIO_REGISTER_MODE_MISSING,
                        0};
  if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
      ioctl(fd, UFFDIO_REGISTER, &range))
    Die("userfaultfd");
  signal(SIGUSR1, [](int) {
    g_stays = 1;
    for (;;) pause();
  });
  pthread_t thread;
  if (pthread_create(&thread, nullptr, Touch, memory)) Die("pthread_create");
  uffd_msg message;  // the thread sends it before it sleeps
  if (read(fd, &message, sizeof(message)) != sizeof(message)) Die("read");
  pthread_kill(thread, SIGUSR1);
  while (!g_stays) usleep(1000);
  printf("1\n");
  fflush(stdout);
  for (;;) pause();
}

int Number(const char* text) {
  int n = -1;
  std::from_chars(text, text + strlen(text), n);
  return n;
}

int Usage() {
  fprintf(
      stderr,
      "usage: guest_cost fault anon-write|anon-read|cow|file-write "
      "[EXTRA_VMAS] | table | read | proc | sleepers N | threads N | retry\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "fault" && argc > 2 && kWorkloads.count(argv[2])) {
    MakeVmas(argc > 3 ? Number(argv[3]) : 0);
    printf("%llu\n", FaultCost(kWorkloads.at(argv[2])));
  } else if (verb == "table") {
    printf("%llu\n", TableCost());
  } else if (verb == "read") {
    printf("%llu\n", ReadCost());
  } else if (verb == "proc") {
    printf("%llu\n", ProcCost());
  } else if (verb == "sleepers" && argc > 2 && Number(argv[2]) > 0) {
    Sleepers(Number(argv[2]));
  } else if (verb == "threads" && argc > 2 && Number(argv[2]) > 0) {
    Threads(Number(argv[2]));
  } else if (verb == "retry") {
    Retry();
  } else {
    return Usage();
  }
  return 0;
}
