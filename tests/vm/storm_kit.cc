// SPDX-License-Identifier: Apache-2.0
#include "storm_kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "module.h"
#include "page_faults.h"

namespace pf_test {

Crowd::Crowd(int n, const std::function<void()>& round) {
  for (int i = 0; i < n; ++i) {
    const pid_t pid = fork();
    if (pid == 0)
      for (;;) round();
    pids_.push_back(pid);
  }
}

void Crowd::Kill() {
  for (pid_t pid : pids_) {
    kill(pid, SIGKILL);
    kill(pid, SIGCONT);
  }
  for (pid_t pid : pids_) waitpid(pid, nullptr, 0);
  pids_.clear();
}

std::vector<Ended> RunAtOnce(int n, const std::function<void(int)>& work) {
  std::vector<Ended> ended(static_cast<size_t>(n));
  for (int i = 0; i < n; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      work(i);
      _exit(0);
    }
    ended[static_cast<size_t>(i)].pid = pid;
  }
  for (Ended& child : ended)
    EXPECT_EQ(wait4(child.pid, &child.status, 0, &child.usage), child.pid);
  return ended;
}

bool AllSucceeded(const std::vector<Ended>& ended) {
  return std::all_of(ended.begin(), ended.end(),
                     [](const Ended& child) { return child.status == 0; });
}

void FaultRound() {
  char* memory = MapPages(64);
  WritePages(memory, 64);
  madvise(memory, 64 * kPage, MADV_DONTNEED);
  WritePages(memory, 64);
  munmap(memory, 64 * kPage);
}

void ForkRound() {
  const pid_t child = fork();
  if (child == 0) {
    WritePages(MapPages(8), 8);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}

bool ReadsWhole(const char* name) {
  static char buffer[1 << 16];
  const std::string path =
      std::string("/sys/kernel/debug/" PF_DEBUGFS_DIR "/") + name;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT;
  std::string tail;
  ssize_t n;
  while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
    tail.append(buffer, static_cast<size_t>(n));
    if (tail.size() > 64) tail.erase(0, tail.size() - 64);
  }
  close(fd);
  const size_t last = tail.rfind('\n', tail.size() - 2);
  return n == 0 && !tail.empty() && last != std::string::npos &&
         (tail.compare(last + 1, strlen(PF_TRAILER), PF_TRAILER) == 0 ||
          tail.compare(last + 1, strlen(PF_KEY_END), PF_KEY_END) == 0);
}

void ReadRound() {
  const auto start = std::chrono::steady_clock::now();
  for (const char* name : {PF_FILE_PROCESSES, PF_FILE_STATS, PF_FILE_LATENCY})
    ReadsWhole(name);
  PauseAfterReading(std::chrono::steady_clock::now() - start);
}

void PauseAfterReading(std::chrono::nanoseconds took) {
  std::this_thread::sleep_for(2 * took + std::chrono::milliseconds(1));
}

char* MapPages(size_t pages, int extra_flags) {
  void* memory = mmap(nullptr, pages * kPage, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | extra_flags, -1, 0);
  if (memory == MAP_FAILED) _exit(111);
  return static_cast<char*>(memory);
}

void WritePages(char* memory, size_t pages) {
  for (size_t i = 0; i < pages; ++i)
    static_cast<volatile char*>(memory)[i * kPage] = 1;
}

std::string Disk(const std::string& name) {
  const char* disk = getenv("PF_DISK");
  return std::string(disk ? disk : "/disk") + "/" + name;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

Setting::Setting(std::string path, const std::string& value)
    : path_(std::move(path)), before_(ReadFile(path_)) {
  // A file that offers a choice reads "this [that] other"; [that] is its value.
  const size_t open = before_.find('['), close = before_.find(']');
  if (open != std::string::npos && close != std::string::npos)
    before_ = before_.substr(open + 1, close - open - 1);
  set_ = WriteFile(path_, value);
}

Setting::~Setting() {
  if (set_) WriteFile(path_, before_);
}

Cgroup::Cgroup(const std::string& name) : path_("/sys/fs/cgroup/" + name) {
  WriteFile("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
  exists_ = mkdir(path_.c_str(), 0755) == 0 || errno == EEXIST;
}

Cgroup::~Cgroup() {
  Eventually([this] { return !rmdir(path_.c_str()) || errno != EBUSY; });
}

bool Cgroup::Set(const std::string& file, const std::string& value) const {
  return WriteFile(path_ + "/" + file, value);
}

std::string Cgroup::Get(const std::string& file) const {
  return ReadFile(path_ + "/" + file);
}

bool Cgroup::Enter() const {
  return Set("cgroup.procs", std::to_string(getpid()));
}

SwapFile::SwapFile(size_t megabytes) : on_(false) {
  const std::string path = Disk("swap");
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const std::vector<char> zeros(1 << 20);
  bool good = true;
  for (size_t i = 0; i < megabytes && good; ++i)
    good = write(fd, zeros.data(), zeros.size()) ==
           static_cast<ssize_t>(zeros.size());
  // The header that mkswap writes (include/linux/swap.h, union swap_header).
  const uint32_t header[] = {1, static_cast<uint32_t>(megabytes * 256 - 1), 0};
  good = good &&
         pwrite(fd, header, sizeof(header), 1024) ==
             static_cast<ssize_t>(sizeof(header)) &&
         pwrite(fd, "SWAPSPACE2", 10, 4086) == 10 && fsync(fd) == 0;
  close(fd);
  on_ = good && swapon(path.c_str(), 0) == 0;
}

SwapFile::~SwapFile() {
  if (on_) {
    EXPECT_EQ(swapoff(Disk("swap").c_str()), 0) << strerror(errno);
  }
  unlink(Disk("swap").c_str());
}

int UnloadPatiently() {
  int error = EAGAIN;
  Eventually([&] { return (error = UnloadModule()) != EAGAIN; });
  return error;
}

int LoadAfresh(const std::string& parameters) {
  if (ModuleIsLoaded()) UnloadPatiently();
  return LoadModule(DefaultParameters() + " " + parameters);
}

std::string Scrape(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string text;
  const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
  const timeval limit{120, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) ==
          0 &&
      write(fd, request, sizeof(request) - 1) > 0) {
    char buffer[1 << 14];
    for (ssize_t n; (n = read(fd, buffer, sizeof(buffer))) > 0;)
      text.append(buffer, static_cast<size_t>(n));
  }
  close(fd);
  return text;
}

bool DaemonSays(int port, const std::string& line) {
  return Eventually([&] {
    if (Scrape(port).find("\n" + line) != std::string::npos) return true;
    usleep(200000);
    return false;
  });
}

pid_t StartDaemon(int port) {
  const std::string address = "127.0.0.1:" + std::to_string(port);
  const pid_t pid = fork();
  if (pid == 0) {
    execl("/page_fault_exporter", "page_fault_exporter", "--interval", "200ms",
          "--web.listen-address", address.c_str(), "--log.level", "error",
          nullptr);
    _exit(127);
  }
  return pid;
}

namespace {

// After every storm, checks the daemon that listens on the port in the
// environment variable PF_DAEMON: it serves the table, or says why it cannot.
// Also adds up the faults and processes of all storms.
class Watch : public testing::EmptyTestEventListener {
  // This listener runs before that of main.cc, which would fail while the
  // daemon has a file of the module open.
  void OnTestStart(const testing::TestInfo&) override {
    if (ModuleIsLoaded()) UnloadPatiently();
  }

  void OnTestEnd(const testing::TestInfo&) override {
    if (ModuleIsLoaded()) {
      const Stats stats = ReadStats();
      faults_ += StatsNumber(stats, PF_COL_FAULTS);
      processes_ += StatsNumber(stats, PF_KEY_LIVE) +
                    StatsNumber(stats, PF_KEY_EXITED) +
                    StatsNumber(stats, PF_KEY_RETIRED_ROWS);
    }
    const char* port = getenv("PF_DAEMON");
    if (!port) return;
    EXPECT_TRUE(DaemonSays(
        atoi(port),
        ModuleIsLoaded()
            ? "page_fault_exporter_source{source=\"module\"} 1"
            : "page_fault_exporter_read_error{cause=\"no_module\"} 1"));
  }

  void OnTestProgramEnd(const testing::UnitTest&) override {
    if (ModuleIsLoaded()) UnloadPatiently();
    printf("survived: %lld faults, %lld processes\n",
           static_cast<long long>(faults_), static_cast<long long>(processes_));
  }

  int64_t faults_ = 0;
  int64_t processes_ = 0;
};

const bool g_watched = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new Watch);
  return true;
}();

}  // namespace
}  // namespace pf_test
