// SPDX-License-Identifier: Apache-2.0
// The timer thread: reads the source, renders, publishes.
//
// Thread safety: Current() may be called by any thread. A publication is
// immutable; a scrape that holds one is not disturbed by the next tick.
#ifndef EXPORTER_POLLER_H_
#define EXPORTER_POLLER_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "publication.h"
#include "source.h"

namespace pfe {

class Poller {
 public:
  // Called after each tick by the timer thread.
  using OnTick = std::function<void(const Publication&)>;

  // Reads at once, in the constructor, and then every interval; `source` must
  // outlive it.
  Poller(Source* source, std::chrono::milliseconds interval, OnTick on_tick);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  std::shared_ptr<const Publication> Current() const;

 private:
  void Tick();
  void Run();

  Source* const source_;
  const std::chrono::milliseconds interval_;
  const OnTick on_tick_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;                           // mutex_
  std::shared_ptr<const Publication> current_;  // mutex_
  std::thread thread_;
};

// Reads and renders once. `previous` is what the counters go on from.
Publication Publish(Source* source, const Publication& previous);

}  // namespace pfe

#endif  // EXPORTER_POLLER_H_
