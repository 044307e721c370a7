// SPDX-License-Identifier: Apache-2.0
#include "http/http_server.h"

#include <civetweb.h>
#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "http/civetweb_request.h"
#include "http/listen_address.h"
#include "http/protocol.h"
#include "http/query.h"

namespace pfe {
namespace {

using Clock = std::chrono::steady_clock;

// A half-open connection holds a thread until the request times out. A scrape
// that arrives behind n of them waits for about n x timeout / threads.
constexpr std::chrono::milliseconds kRequestTimeout{1000};
// Connections that may wait for a thread; they are served in order of arrival.
constexpr unsigned kWaiting = 1024;
constexpr const char* kKeepAliveMs = "500";
constexpr const char* kLargestHead =
    "8192";  // each thread has a buffer of this size

// The largest part of an answer that is written between two looks at the clock.
constexpr size_t kPart = 262144;

std::runtime_error CannotListen(const std::string& addresses,
                                const std::string& why) {
  return std::runtime_error("cannot listen on " + addresses + ": " + why);
}

void AppendItem(const std::string& item, std::string* list) {
  if (!list->empty()) *list += ',';
  *list += item;
}

}  // namespace

ConnectionLimits LimitsFor(uint64_t open_files) {
  const uint64_t free = open_files - std::min(open_files, kFilesKept);
  ConnectionLimits limits;
  // A thread has its connection, and may have a file open for its answer.
  limits.threads =
      static_cast<unsigned>(std::clamp<uint64_t>(free / 3, 1, kHttpThreads));
  limits.waiting = static_cast<unsigned>(std::clamp<uint64_t>(
      free - std::min(free, uint64_t{2} * limits.threads), 1, kWaiting));
  return limits;
}

class HttpServer::Implementation {
 public:
  Implementation(const std::vector<std::string>& addresses, Handler handler)
      : handler_(std::move(handler)) {
    std::string names, ports;
    for (const std::string& address : addresses) {
      const std::string wrong = CheckListenAddress(address);
      if (!wrong.empty()) throw CannotListen(address, wrong);
      hosts_.push_back(ListenHost(address));
      AppendItem(address, &names);
      AppendItem(CivetwebPort(address), &ports);
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
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    limits_ = LimitsFor(files.rlim_cur);
    const std::string threads = std::to_string(limits_.threads);
    const std::string waiting = std::to_string(limits_.waiting);
    const std::string backlog = std::to_string(kWaiting);
    const std::string timeout = std::to_string(kRequestTimeout.count());
    const char* options[] = {
        "listening_ports", ports.c_str(), "num_threads", threads.c_str(),
        "request_timeout_ms", timeout.c_str(), "enable_keep_alive", "yes",
        "keep_alive_timeout_ms", kKeepAliveMs, "tcp_nodelay", "1",
        "max_request_size", kLargestHead, "connection_queue", waiting.c_str(),
        "listen_backlog", backlog.c_str(),
        // Answer() decodes paths: the library would end
        // one at an encoded NUL.
        "decode_url", "no",
        // Answer requests in absolute form, whatever name
        // of this host they have.
        "enable_auth_domain_check", "no", nullptr};
    mg_callbacks callbacks{};
    // Handlers could only be set after the start, when the first requests may
    // have come.
    callbacks.begin_request = [](mg_connection* connection) {
      return SelfOf(connection)->Answer(connection);
    };
    callbacks.http_error = [](mg_connection* connection, int status,
                              const char* message) {
      SelfOf(connection)->AnswerError(connection, status, message);
      return 0;  // handled: do not send the library's own answer
    };
    callbacks.log_message = [](const mg_connection* connection,
                               const char* message) {
      if (SelfOf(connection)) SelfOf(connection)->KeepMessage(message);
      return 1;  // handled: do not print it
    };
    context_ = mg_start(&callbacks, this, options);
    if (!context_)
      throw CannotListen(names,
                         message_.empty() ? "is the port in use?" : message_);
  }

  static Implementation* SelfOf(const mg_connection* connection) {
    return static_cast<Implementation*>(
        mg_get_user_data(mg_get_context(connection)));
  }

  void KeepMessage(const char* message) {
    const std::lock_guard<std::mutex> lock(mutex_);
    // The first message has the reason; later ones follow from it.
    if (message_.empty()) message_ = message;
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

  Patience::Limits LimitsNow() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool crowd = 4 * static_cast<unsigned>(in_flight_) > limits_.threads;
    return crowd ? kInACrowd : kAlone;
  }

  // Answers a request that the library has parsed. Returns the status.
  int Answer(mg_connection* connection) {
    if (!Enter()) {
      mg_disable_connection_keep_alive(connection);
      return 503;
    }
    int status = 500;
    // An exception must not reach the C code that calls this.
    try {
      status = AnswerRequest(connection, *mg_get_request_info(connection));
    } catch (const std::exception&) {
      mg_disable_connection_keep_alive(connection);
    }
    Leave();
    return status;
  }

  int AnswerRequest(mg_connection* connection, const mg_request_info& info) {
    const std::optional<std::string> path =
        DecodePercent(OrEmpty(info.local_uri_raw));
    HttpRequest request;
    request.method = OrEmpty(info.request_method);
    if (path) request.path = *path;
    request.query = OrEmpty(info.query_string);
    request.is_local = IsLocal(info);
    request.header = [&info](const char* name) {
      return JoinedHeader(info, name);
    };
    const bool head = request.method == "HEAD";
    if (head) request.method = "GET";

    const std::optional<HttpResponse> refused =
        path ? Refuse(info)
             : HttpResponse(400, "An escape is not % and two hex digits\n");
    const HttpResponse response = refused ? *refused : Handle(request);
    const bool keep = !refused && KeepsOpen(info);
    const std::string_view connection_field =
        !keep                                 ? "close"
        : OrEmpty(info.http_version) == "1.0" ? "keep-alive"
                                              : "";
    // After an incomplete answer the client would read the next answer as its
    // remainder.
    if (!Write(connection, response, connection_field, head) || !keep)
      mg_disable_connection_keep_alive(connection);
    return response.status;
  }

  // Answers what is no request. The library then closes the connection.
  void AnswerError(mg_connection* connection, int status, const char* message) {
    // The library says 411 when a Content-Length is no number.
    if (status == 411) status = 400;
    try {
      const mg_request_info* const info = mg_get_request_info(connection);
      Write(connection,
            HttpResponse(status, std::string(OrEmpty(message)) + "\n"), "close",
            OrEmpty(info->request_method) == "HEAD");
    } catch (const std::exception&) {
      // There is no memory for an answer.
    }
  }

  HttpResponse Handle(const HttpRequest& request) {
    try {
      return handler_(request);
    } catch (const std::exception& error) {
      return HttpResponse(500, std::string(error.what()) + "\n");
    }
  }

  // Returns false if the answer is not written as a whole.
  bool Write(mg_connection* connection, const HttpResponse& response,
             std::string_view connection_field, bool head) {
    size_t length = 0;
    for (const auto& piece : response.body) length += piece->size();
    std::string text = HeadText(response, length, connection_field);
    Patience patience(kAlone);
    if (!head)
      for (const auto& piece : response.body)
        if (!WritePiece(connection, *piece, &text, &patience)) return false;
    return WriteAll(connection, text, &patience);
  }

  // Joins small pieces, so that each does not become a packet of its own.
  bool WritePiece(mg_connection* connection, const std::string& piece,
                  std::string* pending, Patience* patience) {
    constexpr size_t kSmall = 16384;
    if (piece.size() < kSmall) {
      *pending += piece;
      if (pending->size() < kSmall) return true;
    }
    const bool ok = WriteAll(connection, *pending, patience);
    pending->clear();
    return ok &&
           (piece.size() < kSmall || WriteAll(connection, piece, patience));
  }

  bool WriteAll(mg_connection* connection, std::string_view text,
                Patience* patience) {
    while (!text.empty()) {
      const auto start = Clock::now();
      const int written =
          mg_write(connection, text.data(), std::min(text.size(), kPart));
      const auto waited = Clock::now() - start;
      const auto taken = static_cast<size_t>(std::max(written, 0));
      // Without a byte the library returns after its timeout, or at once if the
      // connection is broken or the server stops.
      if (taken == 0 && waited < kRequestTimeout) return false;
      if (!patience->Note(waited, taken, LimitsNow())) return false;
      text.remove_prefix(taken);
    }
    return true;
  }

  const Handler handler_;
  std::vector<std::string> hosts_;  // of the addresses
  mg_context* context_ = nullptr;
  ConnectionLimits limits_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::string message_;    // mutex_: the library's first message
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
