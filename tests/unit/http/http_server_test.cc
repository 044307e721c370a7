// SPDX-License-Identifier: Apache-2.0
#include "http/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

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

// RFC 9110, section 5.3.
TEST(HttpServer, AHeaderThatComesTwiceIsJoined) {
  const HttpServer server({"127.0.0.1:0"}, Echo);
  EXPECT_THAT(Ask(server.Ports().at(0),
                  "GET / HTTP/1.1\r\nX-Test: a;q=0\r\nOther: b\r\n"
                  "x-test: c, d\r\nX-TEST:\r\n"),
              HasSubstr("GET /? a;q=0, c, d"));
}

TEST(HttpServer, AnswersWithWhatTheHandlerSays) {
  const HttpServer server({"127.0.0.1:0"}, Echo);
  const std::string answer =
      Ask(server.Ports().at(0), "GET /a%20b?c=d HTTP/1.1\r\nX-Test: y\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 14\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nGET /a b?c=d y"));
}

TEST(HttpServer, HeadHasTheLengthAndNoBody) {
  const HttpServer server({"127.0.0.1:0"}, Echo);
  const std::string answer =
      Ask(server.Ports().at(0), "HEAD /abc HTTP/1.1\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
}

TEST(HttpServer, AnExceptionIsAnAnswer) {
  const HttpServer server({"127.0.0.1:0"},
                          [](const HttpRequest&) -> HttpResponse {
                            throw std::runtime_error("no luck");
                          });
  EXPECT_THAT(Ask(server.Ports().at(0), "GET / HTTP/1.1\r\n"),
              StartsWith("HTTP/1.1 500 "));
}

TEST(HttpServer, GarbageIsRefusedAndServiceGoesOn) {
  const HttpServer server({"127.0.0.1:0"}, Echo);
  const int port = server.Ports().at(0);
  for (const std::string& garbage :
       {std::string("\r\n\r\n"), std::string("GET\r\n\r\n"),
        std::string(20000, 'a') + "\r\n\r\n",
        std::string("\0\1\2\r\n\r\n", 7)}) {
    const Connection connection(port);
    connection.Send(garbage);
    connection.Rest();
  }
  EXPECT_THAT(Ask(port, "GET / HTTP/1.1\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST(HttpServer, EndingFinishesTheRequestInFlight) {
  std::promise<void> entered;
  std::atomic<bool> go = false;
  auto server = std::make_unique<HttpServer>(
      std::vector<std::string>{"127.0.0.1:0"}, [&](const HttpRequest&) {
        entered.set_value();
        while (!go) std::this_thread::yield();
        return HttpResponse(200, std::string(4 << 20, 'x'));
      });
  const int port = server->Ports().at(0);
  auto answer = std::async(std::launch::async,
                           [port] { return Ask(port, "GET / HTTP/1.1\r\n"); });
  entered.get_future().wait();
  std::thread ender([&server] { server.reset(); });
  go = true;
  EXPECT_GT(answer.get().size(), size_t{4} << 20);
  ender.join();
  EXPECT_FALSE(Connection(port).connected());
}

TEST(HttpServer, APortInUseIsNamed) {
  const HttpServer server({"127.0.0.1:0"}, Echo);
  const std::string address =
      "127.0.0.1:" + std::to_string(server.Ports().at(0));
  try {
    const HttpServer second({address}, Echo);
    FAIL() << "listens twice on " << address;
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr(address));
  }
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
