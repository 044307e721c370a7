// SPDX-License-Identifier: Apache-2.0
#include "tick/poller.h"

#include <algorithm>
#include <utility>

namespace pfe {

Poller::Poller(Pipeline* pipeline, std::chrono::milliseconds interval,
               OnTick on_tick, std::chrono::milliseconds wanted_for)
    : pipeline_(pipeline),
      on_tick_(std::move(on_tick)),
      wanted_for_(wanted_for),
      interval_(interval),
      current_(std::make_shared<const Publication>()) {
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

std::shared_ptr<const Publication> Poller::Current() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return current_;
}

void Poller::SetInterval(std::chrono::milliseconds interval) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    interval_ = interval;
    changed_ = true;
  }
  wake_.notify_all();
}

// Those that were asked for of late.
Forms Poller::WantedForms() const {
  const auto now = Publication::Clock::now();
  Forms forms;
  forms.gzip = gzip_wanted_.load() > now;
  forms.plain = plain_wanted_.load() > now || !forms.gzip;
  return forms;
}

void Poller::Tick() {
  auto next = std::make_shared<const Publication>(
      pipeline_->Tick(*Current(), WantedForms()));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    current_ = next;
  }
  on_tick_(*next);
}

void Poller::Run() {
  auto last = Publication::Clock::now();
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    // A tick that took longer than the interval does not make later ones
    // crowd: the missed ones are left out.
    const auto due = std::max(last + interval_, Publication::Clock::now());
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
