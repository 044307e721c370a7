// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server. Only this file pair, civetweb_request and listen_address
// know civetweb.
#ifndef EXPORTER_HTTP_HTTP_SERVER_H_
#define EXPORTER_HTTP_HTTP_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/message.h"

namespace pfe {

// The threads that answer requests.
inline constexpr int kHttpThreads = 72;

class HttpServer {
 public:
  // Called by many threads at once. A HEAD request reaches the handler as GET;
  // the server drops the body of the answer.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  // Starts at once. Addresses are as CheckListenAddress() describes. Throws
  // std::runtime_error with the address and the reason if it cannot listen.
  // LimitsFor() the process's limit of open files says how many connections it
  // takes at once.
  HttpServer(const std::vector<std::string>& addresses, Handler handler);
  // Waits until the requests that are being answered have their answers.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The ports it listens on, in the order of the addresses. For port 0 it is
  // the port that the system chose.
  std::vector<int> Ports() const;
  // The same as HOST:PORT. For :PORT the host is [::], which is every address
  // of IPv6 and IPv4, or 0.0.0.0 if there is no IPv6.
  std::vector<std::string> Addresses() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// Descriptors that connections leave to the rest of the process, above all to
// read the source.
inline constexpr uint64_t kFilesKept = 32;

struct ConnectionLimits {
  unsigned threads = 1;  // that answer requests, each on one connection
  unsigned waiting = 1;  // connections that wait for a thread
};

// How many connections to take at once, if the process may have so many files
// open. More connections than that wait in the kernel.
ConnectionLimits LimitsFor(uint64_t open_files);

}  // namespace pfe

#endif  // EXPORTER_HTTP_HTTP_SERVER_H_
