// SPDX-License-Identifier: Apache-2.0
#include "http/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <thread>

#include "http/listen_address.h"
#include "wait.h"

namespace pfe {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A connection to a port of this machine.
class Connection {
 public:
  explicit Connection(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{std::chrono::seconds(kLongestWait).count(), 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address),
                         sizeof(address)) == 0;
  }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool connected() const { return connected_; }
  void Send(const std::string& text) const {
    EXPECT_EQ(send(fd_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  void FinishSending() const { shutdown(fd_, SHUT_WR); }
  // Reads until the other side closes.
  std::string Rest() const {
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = recv(fd_, buffer, sizeof(buffer), 0)) > 0;)
      text.append(buffer, static_cast<size_t>(n));
    return text;
  }

 private:
  const int fd_;
  bool connected_ = false;
};

std::string Ask(int port, const std::string& head) {
  const Connection connection(port);
  connection.Send(head + "Host: x\r\nConnection: close\r\n\r\n");
  return connection.Rest();
}

HttpResponse Echo(const HttpRequest& request) {
  return HttpResponse(200, std::string(request.method) + " " +
                               std::string(request.path) + "?" +
                               std::string(request.query) + " " +
                               std::string(request.header("X-Test")));
}

// Ending a server takes civetweb two seconds, so these tests share one. It
// echoes, and throws where the path says so.
class HttpServerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ =
        std::make_unique<HttpServer>(std::vector<std::string>{"127.0.0.1:0"},
                                     [](const HttpRequest& request) {
                                       if (request.path == "/throw")
                                         throw std::runtime_error("no luck");
                                       return Echo(request);
                                     });
  }
  static void TearDownTestSuite() { server_.reset(); }

  static int port() { return server_->Ports().at(0); }

  static std::unique_ptr<HttpServer> server_;
};
std::unique_ptr<HttpServer> HttpServerTest::server_;

// RFC 9110, section 5.3.
TEST_F(HttpServerTest, AHeaderThatComesTwiceIsJoined) {
  EXPECT_THAT(Ask(port(),
                  "GET / HTTP/1.1\r\nX-Test: a;q=0\r\nOther: b\r\n"
                  "x-test: c, d\r\nX-TEST:\r\n"),
              HasSubstr("GET /? a;q=0, c, d"));
}

TEST_F(HttpServerTest, AnswersWithWhatTheHandlerSays) {
  const std::string answer =
      Ask(port(), "GET /a%20b?c=d HTTP/1.1\r\nX-Test: y\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 14\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nGET /a b?c=d y"));
}

TEST_F(HttpServerTest, AnEncodedNulEndsNoPath) {
  EXPECT_THAT(Ask(port(), "GET /a%00b HTTP/1.1\r\n"),
              testing::EndsWith(std::string("GET /a\0b? ", 10)));
}

TEST_F(HttpServerTest, HeadHasTheLengthAndNoBody) {
  const std::string answer = Ask(port(), "HEAD /abc HTTP/1.1\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, AnExceptionIsAnAnswer) {
  EXPECT_THAT(Ask(port(), "GET /throw HTTP/1.1\r\n"),
              StartsWith("HTTP/1.1 500 "));
}

// What is no request is answered by a client error, and no handler sees it.
TEST_F(HttpServerTest, GarbageIsRefusedAndServiceGoesOn) {
  for (const std::string& garbage :
       {std::string("\r\n\r\n"), std::string("GET\r\n\r\n"),
        std::string("GET /\r\n\r\n"), std::string("GET / SPDY/9\r\n\r\n"),
        std::string(20000, 'a') + "\r\n\r\n",
        std::string("\0\1\2\r\n\r\n", 7)}) {
    const Connection connection(port());
    connection.Send(garbage);
    connection.FinishSending();
    const std::string answer = connection.Rest();
    EXPECT_THAT(answer, testing::ContainsRegex("^HTTP/[^ ]+ 4[0-9][0-9] "))
        << garbage.substr(0, 20);
    EXPECT_THAT(answer, testing::Not(HasSubstr("/?"))) << "was handled";
  }
  EXPECT_THAT(Ask(port(), "GET / HTTP/1.1\r\n"), StartsWith("HTTP/1.1 200"));
}

// The request in flight is answered only when the destructor runs, which shows
// in that others are not answered any more.
TEST(HttpServer, EndingFinishesTheRequestInFlight) {
  std::promise<void> entered, ending;
  auto server = std::make_unique<HttpServer>(
      std::vector<std::string>{"127.0.0.1:0"}, [&](const HttpRequest& request) {
        if (request.path != "/slow") return Echo(request);
        entered.set_value();
        ending.get_future().wait_for(kLongestWait);
        return HttpResponse(200, std::string(4 << 20, 'x'));
      });
  const int port = server->Ports().at(0);
  auto answer = std::async(std::launch::async, [port] {
    return Ask(port, "GET /slow HTTP/1.1\r\n");
  });
  ASSERT_EQ(entered.get_future().wait_for(kLongestWait),
            std::future_status::ready);
  std::thread ender([&server] { server.reset(); });
  WaitUntil([port] { return Ask(port, "GET / HTTP/1.1\r\n").empty(); });
  ending.set_value();
  EXPECT_GT(answer.get().size(), size_t{4} << 20);
  ender.join();
  EXPECT_FALSE(Connection(port).connected());
}

TEST_F(HttpServerTest, APortInUseIsNamed) {
  const std::string address = "127.0.0.1:" + std::to_string(port());
  try {
    const HttpServer second({address}, Echo);
    FAIL() << "listens twice on " << address;
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr(address));
    EXPECT_THAT(error.what(), HasSubstr("Address already in use"));
  }
}

// A socket of IPv6 is connected to a port of this machine.
bool AnswersOnIpv6(int port) {
  const int fd = socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(static_cast<uint16_t>(port));
  address.sin6_addr = in6addr_loopback;
  const bool connected =
      connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return connected;
}

// Civetweb of Debian 12 has no IPv6, that of Debian 13 has it.
TEST(HttpServer, APortAloneIsEveryAddress) {
  const HttpServer server({":0", "localhost:0"}, Echo);
  const std::vector<int> ports = server.Ports();
  ASSERT_EQ(ports.size(), 2u);
  EXPECT_TRUE(Connection(ports[0]).connected());
  if (HasIpv6()) {
    EXPECT_TRUE(AnswersOnIpv6(ports[0]));
  }
  EXPECT_THAT(server.Addresses(),
              testing::ElementsAre(
                  (HasIpv6() ? "[::]:" : "0.0.0.0:") + std::to_string(ports[0]),
                  "127.0.0.1:" + std::to_string(ports[1])));
}

TEST(LimitsFor, LeavesDescriptorsToTheRest) {
  for (uint64_t files = 0; files < 3000; ++files) {
    const ConnectionLimits limits = LimitsFor(files);
    EXPECT_GE(limits.threads, 1u);
    EXPECT_GE(limits.waiting, 1u);
    // An answer may take a descriptor besides that of its connection.
    if (files >= kFilesKept + 3) {
      EXPECT_LE(2 * limits.threads + limits.waiting + kFilesKept, files);
    }
  }
  EXPECT_EQ(LimitsFor(256).threads, 72u);
  EXPECT_EQ(LimitsFor(1024).waiting, 848u);
  EXPECT_EQ(LimitsFor(UINT64_MAX).waiting, 1024u);
}

TEST(CheckListenAddress, Forms) {
  for (const char* good : {":9110", ":0", "127.0.0.1:80", "localhost:65535"})
    EXPECT_EQ(CheckListenAddress(good), "") << good;
  for (const char* bad : {"", "9110", ":", ":x", ":65536", ":-1", "host:1",
                          "1.2.3:4", "::1:9110", "[::1:9110", "[x]:1", ":1r"})
    EXPECT_NE(CheckListenAddress(bad), "") << bad;
}

}  // namespace
}  // namespace pfe
