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

  // Starts the tick thread, which ticks at once and then once in every
  // interval. `pipeline` must outlive the poller. From then on only the tick
  // thread uses it.
  Poller(Pipeline* pipeline, std::chrono::milliseconds interval, OnTick on_tick,
         std::chrono::milliseconds wanted_for = kWantedFor);
  // Waits until a tick that has begun has ended.
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Waits for the end of the first tick, at most as long as `limit`. Returns
  // whether it has ended.
  bool AwaitFirstTick(std::chrono::milliseconds limit);
  // Lets no other tick begin, and waits for the end of the last one, at most as
  // long as `limit`. Returns whether it has ended. If not, a read hangs: the
  // destructor would hang too.
  bool Stop(std::chrono::milliseconds limit);

  // The view of the last tick, never null. Before the first one it is an empty
  // view.
  std::shared_ptr<const View> Current() const;
  // When the tick that has not ended yet began; nothing between ticks.
  std::optional<View::Clock::time_point> TickBegan() const;
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
  void KeepForLater(std::optional<PipelineSettings>* settings);
  void Tick();
  void Run();

  Pipeline* const pipeline_;
  const OnTick on_tick_;
  const std::chrono::milliseconds wanted_for_;
  Moment plain_wanted_{View::Clock::time_point::min()};  // wanted until then
  Moment gzip_wanted_{View::Clock::time_point::min()};
  mutable std::mutex mutex_;
  std::condition_variable wake_;              // the tick thread
  std::condition_variable done_;              // who waits for the tick thread
  std::chrono::milliseconds interval_;        // mutex_
  std::optional<PipelineSettings> settings_;  // mutex_: for the next tick
  bool changed_ = false;                      // mutex_: the interval
  bool stop_ = false;                         // mutex_
  bool first_tick_ended_ = false;             // mutex_
  bool ended_ = false;                        // mutex_: the thread
  std::optional<View::Clock::time_point> tick_began_;  // mutex_
  std::shared_ptr<const View> current_;                // mutex_
  std::thread thread_;
};

}  // namespace pfe

#endif  // EXPORTER_TICK_POLLER_H_
