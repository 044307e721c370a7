// SPDX-License-Identifier: Apache-2.0
#include "tick/poller.h"

#include <algorithm>
#include <new>
#include <utility>

namespace pfe {

Poller::Poller(Pipeline* pipeline, std::chrono::milliseconds interval,
               OnTick on_tick, std::chrono::milliseconds wanted_for)
    : pipeline_(pipeline),
      on_tick_(std::move(on_tick)),
      wanted_for_(wanted_for),
      interval_(interval),
      current_(std::make_shared<const View>()) {
  Tick();
  thread_ = std::thread(&Poller::Run, this);
}

Poller::~Poller() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::shared_ptr<const View> Poller::Current() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return current_;
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

void Poller::Tick() {
  std::optional<PipelineSettings> settings;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    settings.swap(settings_);
  }
  std::shared_ptr<const View> next;
  try {
    if (settings) pipeline_->Configure(*settings);
    next = pipeline_->Tick(WantedForms());
  } catch (const std::bad_alloc&) {
    // There is no memory even for an empty view. The last view stays, and the
    // metric of its age shows that it is old.
    return;
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    current_.swap(next);
  }
  // Drops the reference to the view before. It may be the last one, and freeing
  // the view takes time, so this happens without the lock.
  next.reset();
  on_tick_(*Current());
}

void Poller::Run() {
  auto last = View::Clock::now();
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    // A tick that takes longer than the interval delays the next one. Missed
    // ticks are skipped.
    const auto due = std::max(last + interval_, View::Clock::now());
    changed_ = false;
    if (wake_.wait_until(lock, due, [this] { return stop_ || changed_; }))
      continue;
    last = due;
    lock.unlock();
    Tick();
    lock.lock();
  }
}

}  // namespace pfe
