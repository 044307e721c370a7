// SPDX-License-Identifier: Apache-2.0
#include "tick/poller.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace pfe {

Poller::Poller(Pipeline* pipeline, std::chrono::milliseconds interval,
               OnTick on_tick, std::chrono::milliseconds wanted_for)
    : pipeline_(pipeline),
      on_tick_(std::move(on_tick)),
      wanted_for_(wanted_for),
      interval_(interval),
      current_(std::make_shared<const View>()),
      thread_(&Poller::Run, this) {}

Poller::~Poller() {
  Stop(std::chrono::milliseconds(0));
  thread_.join();
}

bool Poller::AwaitFirstTick(std::chrono::milliseconds limit) {
  std::unique_lock<std::mutex> lock(mutex_);
  return done_.wait_for(lock, limit, [this] { return first_tick_ended_; });
}

bool Poller::Stop(std::chrono::milliseconds limit) {
  std::unique_lock<std::mutex> lock(mutex_);
  stop_ = true;
  wake_.notify_all();
  return done_.wait_for(lock, limit, [this] { return ended_; });
}

std::shared_ptr<const View> Poller::Current() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return current_;
}

std::optional<View::Clock::time_point> Poller::TickBegan() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return tick_began_;
}

void Poller::Configure(const PipelineSettings& settings,
                       std::chrono::milliseconds interval) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    settings_ = settings;
    interval_ = interval;
    changed_ = true;
  }
  wake_.notify_all();
}

// The forms that were requested within the last wanted_for_.
Forms Poller::WantedForms() const {
  const auto now = View::Clock::now();
  Forms forms;
  forms.gzip = gzip_wanted_.load() > now;
  forms.plain = plain_wanted_.load() > now || !forms.gzip;
  return forms;
}

// Settings that could not be set are for the next tick, if no later ones are.
void Poller::KeepForLater(std::optional<PipelineSettings>* settings) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!settings_) settings_.swap(*settings);
}

void Poller::Tick() {
  std::optional<PipelineSettings> settings;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    settings.swap(settings_);
  }
  try {
    if (settings) pipeline_->Configure(*settings);
    settings.reset();
    std::shared_ptr<const View> next = pipeline_->Tick(WantedForms());
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      current_.swap(next);
    }
    // Drops the reference to the view before. It may be the last one, and
    // freeing the view takes time, so this happens without the lock.
    next.reset();
    on_tick_(*Current());
  } catch (const std::exception&) {
    // The pipeline reports its exceptions in the view. This one prevented even
    // that, or is from on_tick_(), which logs: usually there is no memory at
    // all. The last view stays, and the metric of its age shows that it is old.
    KeepForLater(&settings);
  }
}

void Poller::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  auto last = View::Clock::now() - interval_;  // the first tick is due now
  while (!stop_) {
    // A tick that takes longer than the interval delays the next one. Missed
    // ticks are skipped.
    const auto due = std::max(last + interval_, View::Clock::now());
    changed_ = false;
    if (wake_.wait_until(lock, due, [this] { return stop_ || changed_; }))
      continue;
    last = due;
    tick_began_ = View::Clock::now();
    lock.unlock();
    Tick();
    lock.lock();
    tick_began_.reset();
    first_tick_ended_ = true;
    done_.notify_all();
  }
  ended_ = true;
  done_.notify_all();
}

}  // namespace pfe
