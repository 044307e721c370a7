// SPDX-License-Identifier: Apache-2.0
#include "http/http_server.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

namespace pfe {
namespace {

// A half-open connection holds a thread until the request times out. A scrape
// that arrives behind n of them waits for about n x timeout / threads.
constexpr const char* kRequestTimeoutMs = "1000";
// Connections that may wait for a thread; they are served in order of arrival.
constexpr const char* kWaiting = "1024";
constexpr const char* kKeepAliveMs = "500";
constexpr const char* kLargestHead =
    "8192";  // each thread has a buffer of this size

const char* ReasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

// Whether sockets of IPv6 can be made. They cannot with the boot option
// ipv6.disable=1, or where a sandbox forbids them.
bool HostHasIpv6() {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

// Splits at the last colon. The host may be empty.
bool SplitAddress(const std::string& address, std::string* host,
                  std::string* port) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return false;
  *host = address.substr(0, colon);
  *port = address.substr(colon + 1);
  return true;
}

std::string CheckHost(const std::string& host) {
  if (host.empty() || host == "localhost") return "";
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return "";
  if (host.front() == '[' && host.back() == ']') {
    in6_addr v6;
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6) != 1)
      return "\"" + host + "\" is no IPv6 address";
    return HasIpv6() ? ""
                     : "this build of civetweb has no IPv6: use an IPv4 "
                       "address or :PORT";
  }
  return "\"" + host +
         "\" is neither an IPv4 address, localhost, nor an IPv6 address in "
         "brackets";
}

std::string CheckPort(const std::string& port) {
  if (!port.empty() && (port.back() == 's' || port.back() == 'r'))
    return "TLS is not offered here: put a proxy in front of a loopback "
           "address (see deploy/tls)";
  unsigned number = 0;
  const char* end = port.data() + port.size();
  const auto [at, error] = std::from_chars(port.data(), end, number);
  if (port.empty() || error != std::errc() || at != end || number > 65535)
    return "\"" + port + "\" is no port from 0 to 65535";
  return "";
}

// The host to listen on.
std::string HostOf(const std::string& address) {
  std::string host, port;
  SplitAddress(address, &host, &port);
  if (host.empty()) return HasIpv6() && HostHasIpv6() ? "[::]" : "0.0.0.0";
  return host == "localhost" ? "127.0.0.1" : host;
}

// The address in the syntax of civetweb's option listening_ports. A port after
// a + is one socket for IPv6 and IPv4; [::] would be for IPv6 only.
std::string CivetAddress(const std::string& address) {
  std::string host, port;
  SplitAddress(address, &host, &port);
  const std::string resolved = HostOf(address);
  return host.empty() && resolved == "[::]" ? "+" + port
                                            : resolved + ":" + port;
}

std::runtime_error CannotListen(const std::string& addresses,
                                const std::string& why) {
  return std::runtime_error("cannot listen on " + addresses + ": " + why);
}

std::string_view OrEmpty(const char* text) {
  return text ? std::string_view(text) : std::string_view();
}

std::string JoinedHeader(const mg_request_info& info, const char* name) {
  std::string joined;
  for (int i = 0; i < info.num_headers; ++i) {
    const mg_header& header = info.http_headers[i];
    const std::string_view value = OrEmpty(header.value);
    if (strcasecmp(header.name, name) != 0 || value.empty()) continue;
    if (!joined.empty()) joined += ", ";
    joined += value;
  }
  return joined;
}

void AppendItem(const std::string& item, std::string* list) {
  if (!list->empty()) *list += ',';
  *list += item;
}

}  // namespace

bool HasIpv6() { return mg_check_feature(MG_FEATURES_IPV6) != 0; }

std::string CheckListenAddress(const std::string& address) {
  std::string host, port;
  if (!SplitAddress(address, &host, &port))
    return "expected HOST:PORT or :PORT";
  const std::string wrong = CheckPort(port);
  return wrong.empty() ? CheckHost(host) : wrong;
}

class HttpServer::Implementation {
 public:
  Implementation(const std::vector<std::string>& addresses, Handler handler)
      : handler_(std::move(handler)) {
    std::string names, ports;
    for (const std::string& address : addresses) {
      const std::string wrong = CheckListenAddress(address);
      if (!wrong.empty()) throw CannotListen(address, wrong);
      hosts_.push_back(HostOf(address));
      AppendItem(address, &names);
      AppendItem(CivetAddress(address), &ports);
    }
    Start(names, ports);
  }

  ~Implementation() {
    // mg_stop() aborts responses that are being written, so wait for them
    // first.
    std::unique_lock<std::mutex> lock(mutex_);
    stopping_ = true;
    idle_.wait_for(lock, std::chrono::seconds(5),
                   [this] { return in_flight_ == 0; });
    lock.unlock();
    mg_stop(context_);
  }

  std::vector<int> Ports() const {
    std::vector<mg_server_port> ports(hosts_.size());
    const int n = mg_get_server_ports(context_, static_cast<int>(ports.size()),
                                      ports.data());
    ports.resize(static_cast<size_t>(std::max(n, 0)));
    std::vector<int> numbers;
    numbers.reserve(ports.size());
    for (const mg_server_port& port : ports) numbers.push_back(port.port);
    return numbers;
  }

  std::vector<std::string> Addresses() const {
    std::vector<std::string> addresses;
    for (const int port : Ports())
      addresses.push_back(hosts_[addresses.size()] + ":" +
                          std::to_string(port));
    return addresses;
  }

 private:
  // `names` are the addresses as a user wrote them.
  void Start(const std::string& names, const std::string& ports) {
    static const unsigned initialized = mg_init_library(0);
    static_cast<void>(initialized);
    const std::string threads = std::to_string(kHttpThreads);
    const char* options[] = {"listening_ports",
                             ports.c_str(),
                             "num_threads",
                             threads.c_str(),
                             "request_timeout_ms",
                             kRequestTimeoutMs,
                             "enable_keep_alive",
                             "yes",
                             "keep_alive_timeout_ms",
                             kKeepAliveMs,
                             "tcp_nodelay",
                             "1",
                             "max_request_size",
                             kLargestHead,
                             "listen_backlog",
                             kWaiting,
                             "connection_queue",
                             kWaiting,
                             nullptr};
    mg_callbacks callbacks{};
    callbacks.log_message = [](const mg_connection* connection,
                               const char* message) {
      auto* self = static_cast<Implementation*>(
          mg_get_user_data(mg_get_context(connection)));
      if (self) self->KeepMessage(message);
      return 1;  // handled: do not print it
    };
    context_ = mg_start(&callbacks, this, options);
    if (!context_)
      throw CannotListen(names,
                         message_.empty() ? "is the port in use?" : message_);
    mg_set_request_handler(context_, "/", &Implementation::OnRequest, this);
  }

  void KeepMessage(const char* message) {
    const std::lock_guard<std::mutex> lock(mutex_);
    message_ = message;
  }

  bool Enter() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!stopping_) ++in_flight_;
    return !stopping_;
  }

  void Leave() {
    const std::lock_guard<std::mutex> lock(mutex_);
    --in_flight_;
    idle_.notify_all();
  }

  static int OnRequest(mg_connection* connection, void* self) {
    return static_cast<Implementation*>(self)->Answer(connection);
  }

  int Answer(mg_connection* connection) {
    if (!Enter()) return 503;
    const mg_request_info* info = mg_get_request_info(connection);
    HttpRequest request;
    request.method = OrEmpty(info->request_method);
    request.path = OrEmpty(info->local_uri);
    request.query = OrEmpty(info->query_string);
    request.header = [info](const char* name) {
      return JoinedHeader(*info, name);
    };
    const bool head = request.method == "HEAD";
    if (head) request.method = "GET";
    int status = 500;
    // An exception must not reach the C code that calls this.
    try {
      const HttpResponse response = Handle(request);
      status = response.status;
      Write(connection, response, head);
    } catch (const std::exception&) {
    }
    Leave();
    return status;
  }

  HttpResponse Handle(const HttpRequest& request) {
    try {
      return handler_(request);
    } catch (const std::exception& error) {
      return HttpResponse(500, std::string(error.what()) + "\n");
    }
  }

  static void Write(mg_connection* connection, const HttpResponse& response,
                    bool head) {
    size_t length = 0;
    for (const auto& piece : response.body) length += piece->size();
    std::string text = "HTTP/1.1 " + std::to_string(response.status) + " " +
                       ReasonOf(response.status) +
                       "\r\nContent-Type: " + response.content_type +
                       "\r\nContent-Length: " + std::to_string(length) +
                       "\r\nX-Content-Type-Options: nosniff\r\n";
    for (const auto& [name, value] : response.headers)
      text.append(name).append(": ").append(value).append("\r\n");
    text += "\r\n";
    if (!head)
      for (const auto& piece : response.body)
        if (!WritePiece(connection, *piece, &text)) return;
    mg_write(connection, text.data(), text.size());
  }

  static bool WriteAll(mg_connection* connection, const std::string& text) {
    return mg_write(connection, text.data(), text.size()) ==
           static_cast<int>(text.size());
  }

  // Joins small pieces, so that each does not become a packet of its own.
  static bool WritePiece(mg_connection* connection, const std::string& piece,
                         std::string* pending) {
    constexpr size_t kSmall = 16384;
    if (piece.size() < kSmall) {
      *pending += piece;
      if (pending->size() < kSmall) return true;
    }
    const bool ok = pending->empty() || WriteAll(connection, *pending);
    pending->clear();
    return ok && (piece.size() < kSmall || WriteAll(connection, piece));
  }

  const Handler handler_;
  std::vector<std::string> hosts_;  // of the addresses
  mg_context* context_ = nullptr;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::string message_;    // mutex_: the library's last message
  int in_flight_ = 0;      // mutex_
  bool stopping_ = false;  // mutex_
};

HttpServer::HttpServer(const std::vector<std::string>& addresses,
                       Handler handler)
    : implementation_(
          std::make_unique<Implementation>(addresses, std::move(handler))) {}

HttpServer::~HttpServer() = default;

std::vector<int> HttpServer::Ports() const { return implementation_->Ports(); }

std::vector<std::string> HttpServer::Addresses() const {
  return implementation_->Addresses();
}

}  // namespace pfe
