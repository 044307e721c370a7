// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server behind one interface; the only file pair that knows
// civetweb.
#ifndef EXPORTER_HTTP_HTTP_SERVER_H_
#define EXPORTER_HTTP_HTTP_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/message.h"

namespace pfe {

class HttpServer {
 public:
  // Called by many threads at once. HEAD is answered by the server: the
  // handler sees it as GET.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  // Addresses as in CheckListenAddress(). Starts at once; throws
  // std::runtime_error with the address and the reason if it cannot listen.
  HttpServer(const std::vector<std::string>& addresses, Handler handler);
  // Finishes the requests that are being answered.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The ports it listens on, in the addresses' order: for port 0 the one that
  // was chosen.
  std::vector<int> Ports() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// What is wrong with an address to listen on, empty if nothing is: HOST:PORT
// with an IPv4 address, localhost, or an IPv6 address in brackets where the
// library has IPv6; :PORT for all addresses.
std::string CheckListenAddress(const std::string& address);

}  // namespace pfe

#endif  // EXPORTER_HTTP_HTTP_SERVER_H_
