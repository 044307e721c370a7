// SPDX-License-Identifier: Apache-2.0
// The tick thread: runs a tick on a timer and publishes each view.
#ifndef EXPORTER_TICK_POLLER_H_
#define EXPORTER_TICK_POLLER_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "render/view.h"
#include "tick/pipeline.h"

namespace pfe {

// Thread safety: all members. The one lock hands over the current view and, in
// the other direction, new settings.
class Poller {
 public:
  // Called after each tick by the tick thread.
  using OnTick = std::function<void(const View&)>;

  // How long each tick makes a form after a request for it.
  static constexpr std::chrono::milliseconds kWantedFor{300000};

  // Runs the first tick in the constructor, and then one in every interval.
  // `pipeline` must outlive the poller. From then on only the tick thread uses
  // it.
  Poller(Pipeline* pipeline, std::chrono::milliseconds interval, OnTick on_tick,
         std::chrono::milliseconds wanted_for = kWantedFor);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // The view of the last tick, never null.
  std::shared_ptr<const View> Current() const;
  // Notes that texts were requested in this form. Ticks make this form as long
  // as such requests go on.
  void Want(bool gzip) {
    (gzip ? gzip_wanted_ : plain_wanted_) = View::Clock::now() + wanted_for_;
  }
  // The settings apply from the next tick on. The new interval counts from the
  // last tick.
  void Configure(const PipelineSettings& settings,
                 std::chrono::milliseconds interval);

 private:
  using Moment = std::atomic<View::Clock::time_point>;

  Forms WantedForms() const;
  void Tick();
  void Run();

  Pipeline* const pipeline_;
  const OnTick on_tick_;
  const std::chrono::milliseconds wanted_for_;
  Moment plain_wanted_{View::Clock::time_point::min()};  // wanted until then
  Moment gzip_wanted_{View::Clock::time_point::min()};
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::chrono::milliseconds interval_;        // mutex_
  std::optional<PipelineSettings> settings_;  // mutex_: for the next tick
  bool changed_ = false;                      // mutex_: the interval
  bool stop_ = false;                         // mutex_
  std::shared_ptr<const View> current_;       // mutex_
  std::thread thread_;
};

}  // namespace pfe

#endif  // EXPORTER_TICK_POLLER_H_
