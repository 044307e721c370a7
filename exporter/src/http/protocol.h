// SPDX-License-Identifier: Apache-2.0
// What HTTP/1.1 asks of requests and answers (RFC 9110 and 9112), without
// sockets.
#ifndef EXPORTER_HTTP_PROTOCOL_H_
#define EXPORTER_HTTP_PROTOCOL_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "http/message.h"

namespace pfe {

// The time as a header has it: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110,
// section 5.6.7).
std::string HttpDate(std::time_t seconds);

// Whether the value of a Host header has only characters that a host and a port
// consist of (RFC 9110, section 7.2). It may be empty.
bool IsHost(std::string_view value);

// The status line and the header fields of an answer, with the empty line at
// their end. `length` is that of the body. `connection` is the value of the
// field of this name; an empty one is left out.
std::string HeadText(const HttpResponse& response, size_t length,
                     std::string_view connection);

// Tells when to give up an answer because its client reads too slowly. A client
// has a budget of time: the server's waiting uses it up, and each byte that the
// client takes adds to it. So an answer goes on as long as the client takes at
// least Limits::slowest bytes per second.
class Patience {
 public:
  using Duration = std::chrono::steady_clock::duration;

  struct Limits {
    Duration longest;  // that a client can make the server wait at a time
    uint64_t slowest;  // bytes per second that a client must take
  };

  explicit Patience(const Limits& limits) : left_(limits.longest) {}

  // Notes that the client took `bytes` while the server waited. The limits may
  // be others than before. Returns false when the budget is used up.
  bool Note(Duration waited, size_t bytes, const Limits& limits) {
    const std::chrono::microseconds added(bytes * 1000000 / limits.slowest);
    left_ = std::min(left_ - waited + added, limits.longest);
    return left_ > Duration::zero();
  }

 private:
  Duration left_;
};

// What a client that reads slowly may do. It is less when more than a quarter
// of the threads are at work, so that such clients cannot take them all.
inline constexpr Patience::Limits kAlone{std::chrono::seconds(10), 10000};
inline constexpr Patience::Limits kInACrowd{std::chrono::seconds(2), 200000};

}  // namespace pfe

#endif  // EXPORTER_HTTP_PROTOCOL_H_
