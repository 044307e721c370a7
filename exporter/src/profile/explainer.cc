// SPDX-License-Identifier: Apache-2.0
#include "profile/explainer.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/snapshot.h"
#include "profile/cgroup_walk.h"
#include "source/file.h"

namespace pfe {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPause{100};
// The module keeps a process for a minute after its exit.
constexpr std::chrono::seconds kBetweenReadings{5};
constexpr std::chrono::seconds kBetweenLooks{1};  // for new control groups
// Processes whose maps are read at the start. Of others they are read at the
// first sample.
constexpr size_t kMostFollowed = 1000;
constexpr size_t kMostStatusBytes = 4096;

// The process of a thread, by /proc/PID/status; empty if it cannot be read.
std::string LeaderOf(const std::string& thread) {
  std::string status;
  if (ReadText(AT_FDCWD, (thread + "/status").c_str(), kMostStatusBytes,
               &status) != 0)
    return "";
  const std::string key = "\nTgid:\t";
  const size_t at = status.find(key);
  if (at == std::string::npos) return "";
  const size_t begin = at + key.size();
  return status.substr(begin, status.find('\n', begin) - begin);
}

}  // namespace

Explainer::Explainer(const ExplainSettings& settings)
    : settings_(settings),
      selector_(settings.selector),
      spaces_(settings.procfs),
      functions_(settings.procfs) {}

std::optional<Error> Explainer::CheckPid() const {
  const std::string process = settings_.procfs + "/" + selector_.text();
  if (access(process.c_str(), F_OK) != 0)
    return Error{Cause::kIo, process + ": there is no such process"};
  // Samples and the module's table know processes alone.
  const std::string leader = LeaderOf(process);
  if (!leader.empty() && leader != selector_.text())
    return Error{Cause::kIo,
                 process + ": it is a thread of the process " + leader};
  return std::nullopt;
}

std::optional<Error> Explainer::Check(const IsEnded& is_ended) {
  if (selector_.by_pid()) return CheckPid();
  if (selector_.by_cgroup() &&
      !selector_.FindCgroups(settings_.cgroups, is_ended))
    return Error{Cause::kIo, settings_.cgroups + selector_.text() +
                                 ": there is no such control group"};
  return std::nullopt;
}

std::optional<Error> Explainer::ReadCounters(Source* module,
                                             const IsEnded& is_ended) {
  Snapshot reading;
  if (auto error = module->Read(&reading)) return error;
  if (selector_.by_cgroup()) selector_.FindCgroups(settings_.cgroups, is_ended);
  growth_.Take(reading, selector_);
  FollowSelected(reading, is_ended);
  return std::nullopt;
}

void Explainer::FollowSelected(const Snapshot& reading,
                               const IsEnded& is_ended) {
  size_t followed = 0;
  for (const Process& process : reading.processes)
    if (process.live && followed < kMostFollowed && !is_ended() &&
        selector_.Matches(process.pid, reading.processes.comm(process),
                          process.cgroup)) {
      spaces_.Follow(process.pid);
      ++followed;
    }
}

// What is in no mapping is no address of code: without frame pointers it is any
// word of the program's memory, which is nobody else's business. A caller's
// frame is the instruction behind its call, which can be the first one of
// another function.
Frame Explainer::FrameOf(const FaultSample& sample, uint64_t address,
                         bool is_caller) {
  const uint64_t inside = address - (is_caller ? 1 : 0);
  uint64_t start = 0;
  const Mapping* const mapping =
      spaces_.Find(sample.pid, sample.thread, inside, &start);
  if (!mapping) return {};
  return {functions_.Open(sample.thread, *mapping),
          stacks_.Keep(mapping->name.empty() ? "[anonymous]" : mapping->name),
          inside - start + mapping->offset};
}

// A control group that is not known may have been made in the meantime.
bool Explainer::IsSelected(const FaultSample& sample) {
  if (selector_.by_cgroup()) {
    if (selector_.Matches(sample.pid, "", sample.cgroup)) return true;
    has_new_group_ |= others_.insert(sample.cgroup).second;
    return false;
  }
  return selector_.Matches(
      sample.pid, selector_.by_pid() ? "" : spaces_.Comm(sample.pid), 0);
}

void Explainer::TakeSample(const FaultSample& sample) {
  if (!IsSelected(sample)) return;
  const std::vector<uint64_t> path = unwinder_.CallPath(
      sample, [this] { return steady_clock::now() >= unwinds_until_; });
  std::vector<Frame> frames;
  for (size_t i = 0; i < path.size() && !stacks_.is_full(); ++i)
    frames.push_back(FrameOf(sample, path[i], i > 0));
  stacks_.Add(sample, LabelsOf(sample), spaces_.NameOf(sample),
              std::move(frames));
}

StackLabels Explainer::LabelsOf(const FaultSample& sample) {
  if (!settings_.with_labels) return {};
  return {stacks_.Keep(spaces_.Comm(sample.pid)), sample.cgroup,
          sample.severity, sample.access, sample.kind};
}

void Explainer::Take(const std::vector<Record>& records) {
  unwinds_until_ = steady_clock::now() + kUnwinding;
  for (const Record& record : records) {
    spaces_.Take(record);
    if (const auto* sample = std::get_if<FaultSample>(&record.content)) {
      if (record.time >= begin_ns_ && record.time <= end_ns_)
        TakeSample(*sample);
    } else if (const auto* lost = std::get_if<LostRecord>(&record.content)) {
      lost_ += lost->count;
      spaces_.Distrust();
    }
  }
  spaces_.Forget();
}

void Explainer::Sample(Source* module, const IsEnded& is_ended) {
  const auto end = steady_clock::now() + settings_.time;
  auto read_at = steady_clock::now(), looked_at = read_at;
  std::vector<Record> records;
  while (steady_clock::now() < end && !is_ended()) {
    std::this_thread::sleep_for(kPause);
    records.clear();
    events_->Drain(&records);
    Take(records);
    if (!uncounted_ && IsDue(kBetweenReadings, &read_at))
      uncounted_ = ReadCounters(module, is_ended);
    if (has_new_group_ && IsDue(kBetweenLooks, &looked_at)) {
      selector_.FindCgroups(settings_.cgroups, is_ended);
      has_new_group_ = false;
    }
  }
  end_ns_ = ClockNs(CLOCK_MONOTONIC);
  if (!uncounted_) uncounted_ = ReadCounters(module, is_ended);
  records.clear();
  events_->DrainAll(&records);
  Take(records);
}

Result<Explanation> Explainer::Run(Source* module, const IsEnded& is_ended) {
  if (auto error = Check(is_ended)) return *error;
  events_.emplace();
  FaultEventsSettings wanted;
  wanted.tracefs = settings_.tracefs;
  wanted.stacks = settings_.unwinds;
  if (wanted.stacks) wanted.most_samples = kMostUnwound;
  if (auto error = events_->Open(wanted)) return *error;
  Explanation result;
  result.by_module = events_->by_module();
  begin_ns_ = ClockNs(CLOCK_MONOTONIC);
  result.begin_unix_ns = ClockNs(CLOCK_REALTIME);
  uncounted_ = ReadCounters(module, is_ended);
  if (selector_.by_cgroup() && !result.by_module)
    return Error{
        Cause::kNoModule,
        "the faults of a control group are sampled by the module alone: " +
            events_->why_not_module()};
  Sample(module, is_ended);
  result.seconds = static_cast<double>(end_ns_ - begin_ns_) / 1e9;
  result.lost = lost_ + events_->unparsed();
  if (!result.by_module) result.notes.push_back(events_->why_not_module());
  if (events_->was_thinned())
    result.notes.push_back(
        "the samples were thinned out: there were more than " +
        std::to_string(wanted.most_samples) + " a second");
  events_.reset();
  NoteLimits(&result);
  Sum(&result, is_ended);
  return result;
}

void Explainer::NoteLimits(Explanation* result) const {
  if (uncounted_)
    result->notes.push_back(uncounted_->message);
  else if (!growth_.problem().empty())
    result->notes.push_back(growth_.problem());
  if (result->lost > 0)
    result->notes.push_back(std::to_string(result->lost) +
                            " records were lost: the buffers were full");
  if (spaces_.left_out() > 0)
    result->notes.emplace_back(
        "some mappings are not known: there are too many");
  if (spaces_.put_off() > 0)
    result->notes.emplace_back(
        "some mappings are not known: to read all maps takes too long");
  if (unwinder_.cut() > 0)
    result->notes.push_back("some callers are not known: to unwind " +
                            std::to_string(unwinder_.cut()) +
                            " stacks takes too long");
  if (selector_.has_left_out())
    result->notes.push_back(
        "some control groups are left out: there are more "
        "than " +
        std::to_string(kMostCgroups));
}

void Explainer::Sum(Explanation* result, const IsEnded& is_ended) {
  const auto end = steady_clock::now() + kNaming;
  bool is_cut = false;
  const auto names = stacks_.NameFrames(
      &functions_, [end] { return steady_clock::now() >= end; }, &is_cut);
  if (is_cut)
    result->notes.emplace_back(
        "some functions have no names: to name them takes too long");
  if (functions_.left_out() > 0)
    result->notes.emplace_back(
        "some functions have no names: there are too many files or symbols");
  result->is_exact =
      result->by_module && !uncounted_ && growth_.problem().empty();
  if (settings_.with_labels)
    SumByLabel(names, is_ended, result);
  else
    SumByName(names, result);
}

void Explainer::SumByName(const std::map<Frame, std::string>& names,
                          Explanation* result) const {
  Profile profile;
  for (const auto& [key, sum] : stacks_.sums())
    profile.Add(sum, *key.mapping, PathOf(key, names));
  result->samples = profile.samples();
  result->effective_samples = EffectiveSamples(profile.total());
  if (result->is_exact) {
    const Profile::Exact exact = {growth_.sum(), growth_.by_kind(),
                                  growth_.has_stall()};
    result->unsampled = profile.Scale(exact);
    result->all = exact.sum;
    result->has_stall = exact.stall;
  } else {
    result->all = profile.total();
  }
  result->mappings = profile.mappings();
  result->functions = profile.functions();
  result->paths = profile.paths();
}

void Explainer::SumByLabel(const std::map<Frame, std::string>& names,
                           const IsEnded& is_ended, Explanation* result) const {
  for (const auto& [key, sum] : stacks_.sums()) result->samples += sum.samples;
  result->labelled = Label(stacks_, names, functions_);
  if (result->is_exact) ScaleTo(growth_, &result->labelled);
  std::set<uint64_t> ids;
  for (const LabelledProfile::Stack& stack : result->labelled.stacks)
    ids.insert(stack.cgroup);
  WalkCgroups(settings_.cgroups, "/", is_ended,
              [&](uint64_t id, const std::string& path) {
                if (ids.contains(id)) result->labelled.cgroups[id] = path;
              });
}

}  // namespace pfe
