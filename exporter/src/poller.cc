// SPDX-License-Identifier: Apache-2.0
#include "poller.h"

#include <algorithm>
#include <utility>

#include "exposition.h"
#include "gzip.h"

namespace pfe {
namespace {

std::shared_ptr<const std::string> Share(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

void Render(Snapshot snapshot, Publication* next) {
  std::string text = RenderProcesses(snapshot);
  next->gzip = Share(Gzip(text));
  next->text = Share(std::move(text));
  next->processes = static_cast<size_t>(
      std::count_if(snapshot.processes.begin(), snapshot.processes.end(),
                    [](const Process& process) { return process.live; }));
  next->stats = std::move(snapshot.stats);
}

}  // namespace

Publication Publish(Source* source, const Publication& previous) {
  const auto start = Publication::Clock::now();
  Publication next;
  next.source = source->Name();
  next.read_at = previous.read_at;
  next.errors = previous.errors;
  next.ticks = previous.ticks + 1;
  Result<Snapshot> snapshot = source->Read();
  if (snapshot.ok()) {
    next.read_at = start;
    Render(std::move(snapshot.value()), &next);
  } else {
    next.error = snapshot.error();
    ++next.errors[static_cast<size_t>(next.error->cause)];
    next.text = next.gzip = Share("");
  }
  next.tick_seconds =
      std::chrono::duration<double>(Publication::Clock::now() - start).count();
  return next;
}

Poller::Poller(Source* source, std::chrono::milliseconds interval,
               OnTick on_tick)
    : source_(source),
      interval_(interval),
      on_tick_(std::move(on_tick)),
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

void Poller::Tick() {
  auto next =
      std::make_shared<const Publication>(Publish(source_, *Current()));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    current_ = next;
  }
  on_tick_(*next);
}

void Poller::Run() {
  auto due = Publication::Clock::now();
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    // A tick that took longer than the interval does not make later ones
    // crowd: the missed ones are left out.
    due = std::max(due + interval_, Publication::Clock::now());
    if (wake_.wait_until(lock, due, [this] { return stop_; })) return;
    lock.unlock();
    Tick();
    lock.lock();
  }
}

}  // namespace pfe
