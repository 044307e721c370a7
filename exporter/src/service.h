// SPDX-License-Identifier: Apache-2.0
// What each path answers. Knows nothing of sockets.
#ifndef EXPORTER_SERVICE_H_
#define EXPORTER_SERVICE_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "http_server.h"
#include "publication.h"

namespace pfe {

class Service {
 public:
  using Current = std::function<std::shared_ptr<const Publication>()>;

  // `stale_after` is the age from which a snapshot makes it unready.
  Service(Current current, std::string telemetry_path,
          std::chrono::milliseconds stale_after);

  // Thread safe.
  HttpResponse Answer(const HttpRequest& request) const;

 private:
  HttpResponse Metrics(const HttpRequest& request) const;
  HttpResponse Ready() const;
  HttpResponse Landing() const;

  const Current current_;
  const std::string telemetry_path_;
  const std::chrono::milliseconds stale_after_;
};

// The whole exposition as one text, for --once.
std::string RenderAll(const Publication& publication);

}  // namespace pfe

#endif  // EXPORTER_SERVICE_H_
