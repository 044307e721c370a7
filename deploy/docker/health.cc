// SPDX-License-Identifier: Apache-2.0
// The image's health check: asks the daemon in this container for /-/healthy,
// at the address that it listens on. The kernel tells the address, so that it
// is the right one whether the daemon was told it by an option, the environment
// or a file. Ends with 0 for an answer 200.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

namespace {

namespace fs = std::filesystem;

constexpr const char* kDaemon = "/usr/bin/page_fault_exporter";
constexpr std::string_view kRequest =
    "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr std::string_view kHealthy = "HTTP/1.1 200 ";
constexpr const char* kListens = "0A";  // TCP_LISTEN in /proc/net/tcp
constexpr timeval kPatience = {.tv_sec = 4, .tv_usec = 0};

// Where a link leads, "" where that cannot be read.
std::string Target(const fs::path& link) {
  std::error_code error;
  return fs::read_symlink(link, error).string();
}

// The inodes of a process's sockets.
std::set<std::string> SocketsOf(const fs::path& process) {
  std::set<std::string> inodes;
  std::error_code error;
  for (const auto& fd : fs::directory_iterator(process / "fd", error)) {
    const std::string target = Target(fd);
    if (target.starts_with("socket:["))
      inodes.insert(target.substr(8, target.size() - 9));
  }
  return inodes;
}

struct Address {
  sockaddr_storage socket = {};
  socklen_t size = 0;
};

// Where to ask a socket of this address. The text is that of /proc/net/tcp or
// tcp6: 32-bit words in hexadecimal, as the machine holds them, and the port as
// a number. Where the address stands for all of the host's, the loopback is
// asked: `loopback` for IPv6, since a container may lack ::1 although its
// daemon listens on a socket for IPv6 and IPv4.
Address ParseAddress(const std::string& text, const char* loopback) {
  Address address;
  uint32_t words[4];
  const size_t count = text.find(':') / 8;
  if (count != 1 && count != 4) return address;
  for (size_t i = 0; i < count; ++i)
    words[i] =
        static_cast<uint32_t>(std::stoul(text.substr(8 * i, 8), nullptr, 16));
  const in_port_t port = htons(static_cast<uint16_t>(
      std::stoul(text.substr(8 * count + 1), nullptr, 16)));
  if (count == 1) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.socket);
    v4->sin_family = AF_INET;
    v4->sin_port = port;
    v4->sin_addr.s_addr =
        words[0] == INADDR_ANY ? htonl(INADDR_LOOPBACK) : words[0];
    address.size = sizeof(*v4);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.socket);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = port;
    std::memcpy(&v6->sin6_addr, words, sizeof(words));
    if (IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
      inet_pton(AF_INET6, loopback, &v6->sin6_addr);
    address.size = sizeof(*v6);
  }
  return address;
}

// Whether GET /-/healthy at the address is answered with 200.
bool IsHealthy(const Address& address) {
  const int fd =
      socket(address.socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  char answer[kHealthy.size()];
  const bool healthy =
      connect(fd, reinterpret_cast<const sockaddr*>(&address.socket),
              address.size) == 0 &&
      send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(kRequest.size()) &&
      recv(fd, answer, sizeof(answer), MSG_WAITALL) ==
          static_cast<ssize_t>(sizeof(answer)) &&
      std::string_view(answer, sizeof(answer)) == kHealthy;
  close(fd);
  return healthy;
}

// Whether one of the sockets that the process listens on answers.
bool Answers(const fs::path& process) {
  const std::set<std::string> sockets = SocketsOf(process);
  for (const char* name : {"net/tcp", "net/tcp6"}) {
    std::ifstream table(process / name);
    std::string line;
    while (std::getline(table, line)) {
      std::istringstream fields(line);
      std::string slot, local, remote, state, skipped, inode;
      fields >> slot >> local >> remote >> state;
      for (int i = 0; i < 5; ++i) fields >> skipped;
      fields >> inode;
      if (state == kListens && sockets.contains(inode) &&
          (IsHealthy(ParseAddress(local, "::1")) ||
           IsHealthy(ParseAddress(local, "::ffff:127.0.0.1"))))
        return true;
    }
  }
  return false;
}

}  // namespace

int main() {
  const std::string here = Target("/proc/self/ns/mnt");
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const fs::path& process = entry.path();
    if (Target(process / "exe") == kDaemon &&
        Target(process / "ns/mnt") == here && Answers(process))
      return 0;
  }
  std::fputs("no daemon here answers /-/healthy with 200\n", stderr);
  return 1;
}
