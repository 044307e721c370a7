// SPDX-License-Identifier: Apache-2.0
// The timer thread: ticks, publishes.
//
// Thread safety: Current() may be called by any thread. A publication is
// immutable; a scrape that holds one is not disturbed by the next tick.
#ifndef EXPORTER_TICK_POLLER_H_
#define EXPORTER_TICK_POLLER_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "render/publication.h"
#include "tick/pipeline.h"

namespace pfe {

class Poller {
 public:
  // Called after each tick by the timer thread.
  using OnTick = std::function<void(const Publication&)>;

  // How long it is remembered that somebody asked for texts in a form.
  static constexpr std::chrono::milliseconds kWantedFor{300000};

  // Ticks at once, in the constructor, and then every interval; `pipeline` must
  // outlive it.
  Poller(Pipeline* pipeline, std::chrono::milliseconds interval, OnTick on_tick,
         std::chrono::milliseconds wanted_for = kWantedFor);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  std::shared_ptr<const Publication> Current() const;
  // Any thread: somebody asked for texts in this form. They are then made in
  // the tick, for as long as somebody goes on to ask.
  void Want(bool gzip) {
    (gzip ? gzip_wanted_ : plain_wanted_) =
        Publication::Clock::now() + wanted_for_;
  }
  // From the last tick on.
  void SetInterval(std::chrono::milliseconds interval);

 private:
  using Moment = std::atomic<Publication::Clock::time_point>;

  Forms WantedForms() const;
  void Tick();
  void Run();

  Pipeline* const pipeline_;
  const OnTick on_tick_;
  const std::chrono::milliseconds wanted_for_;
  Moment plain_wanted_{Publication::Clock::time_point::min()};  // until then
  Moment gzip_wanted_{Publication::Clock::time_point::min()};
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::chrono::milliseconds interval_;          // mutex_
  bool changed_ = false;                        // mutex_: the interval
  bool stop_ = false;                           // mutex_
  std::shared_ptr<const Publication> current_;  // mutex_
  std::thread thread_;
};

}  // namespace pfe

#endif  // EXPORTER_TICK_POLLER_H_
