// SPDX-License-Identifier: Apache-2.0
#include "profile/profiler.h"

#include <time.h>

#include <exception>
#include <utility>
#include <variant>

#include "base/clock.h"

namespace pfe {
namespace {

constexpr std::chrono::milliseconds kPause{250};
constexpr std::chrono::seconds kBetweenShows{1};
constexpr std::chrono::seconds kBetweenChecks{10};

}  // namespace

Profiler::Profiler(ProfilerSettings settings)
    : settings_(std::move(settings)),
      spaces_(settings_.procfs, kLimits),
      faults_(settings_.max_mappings,
              static_cast<uint64_t>(settings_.birth_hold.count())),
      thread_([this] { Run(); }) {}

Profiler::~Profiler() {
  Stop(std::chrono::milliseconds(0));
  thread_.join();
}

bool Profiler::Stop(std::chrono::milliseconds limit) {
  std::unique_lock<std::mutex> lock(mutex_);
  is_over_ = true;
  wake_.notify_all();
  return wake_.wait_for(lock, limit, [this] { return has_ended_; });
}

void Profiler::RestFor(std::chrono::seconds time) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rests_until_ = Clock::now() + time;
  wake_.notify_all();
}

void Profiler::LetGo() { RestFor(kRest); }

bool Profiler::AwaitRest() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!is_over_ && Clock::now() < rests_until_)
    wake_.wait_until(lock, rests_until_);
  return !is_over_;
}

bool Profiler::Pause() {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto is_disturbed = [this] {
    return is_over_ || Clock::now() < rests_until_;
  };
  return !wake_.wait_for(lock, kPause, is_disturbed);
}

std::shared_ptr<const MappingSums> Profiler::mappings() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return mappings_;
}

void Profiler::Warn(const std::string& problem) {
  if (std::exchange(warned_, problem) != problem && !problem.empty())
    settings_.warn(problem);
}

void Profiler::Take(const std::vector<Record>& records) {
  for (const Record& record : records) {
    spaces_.Take(record);
    if (const auto* sample = std::get_if<FaultSample>(&record.content)) {
      ++samples_;
      faults_.Add(spaces_.Comm(sample->pid), spaces_.NameOf(*sample),
                  sample->weight, sample->weight * sample->ns);
    } else if (std::holds_alternative<LostRecord>(record.content)) {
      spaces_.Distrust();
    }
  }
  spaces_.Forget();
}

void Profiler::Show() {
  auto mappings = std::make_shared<const MappingSums>(
      faults_.Turn(ClockNs(CLOCK_MONOTONIC)));
  const std::lock_guard<std::mutex> lock(mutex_);
  mappings_ = std::move(mappings);
}

// Whether to attach anew would sample more: by the module, if it was loaded
// since, or on a CPU that is online since.
bool Profiler::IsOutdated(const FaultEvents& events) const {
  return (!events.by_module() &&
          FindModuleEvent(settings_.tracefs).id != events.module_id()) ||
         events.cpus() != OnlineCpus();
}

void Profiler::Sample() {
  FaultEvents events;
  FaultEventsSettings wanted;
  wanted.tracefs = settings_.tracefs;
  wanted.call_paths = false;
  wanted.ring_bytes = kRingBytes;
  wanted.most_samples = kMostSamples;
  if (const auto error = events.Open(wanted)) {
    Warn(error->message);
    return RestFor(kRest);
  }
  Warn(events.why_not_module());
  spaces_.Clear();  // what happened meanwhile has no records
  is_attached_ = true;
  const uint64_t lost_before = lost_;
  auto shown = Clock::now(), checked = shown;
  std::vector<Record> records;
  while (Pause()) {
    records.clear();
    events.Drain(&records);
    Take(records);
    lost_ = lost_before + events.lost();
    if (IsDue(kBetweenShows, &shown)) Show();
    if (IsDue(kBetweenChecks, &checked) && IsOutdated(events)) break;
  }
  records.clear();
  events.DrainAll(&records);
  Take(records);
  Show();
  lost_ = lost_before + events.lost();
}

void Profiler::Run() {
  while (AwaitRest()) {
    try {
      Sample();
    } catch (const std::exception& error) {
      Warn(std::string("unexpected: ") + error.what());
      RestFor(kRest);
    }
    is_attached_ = false;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  has_ended_ = true;
  wake_.notify_all();
}

}  // namespace pfe
