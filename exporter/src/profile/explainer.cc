// SPDX-License-Identifier: Apache-2.0
#include "profile/explainer.h"

#include <time.h>

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/snapshot.h"

namespace pfe {
namespace {

constexpr std::chrono::milliseconds kPause{100};

struct Counted {
  uint64_t minor = 0, major = 0, stall_ns = 0;
  Breakdown breakdown{};
};
// By pid and start.
using Counts = std::map<std::pair<uint32_t, uint64_t>, Counted>;

Counts CountsOf(const ProcessTable& processes, const Selector& selector) {
  Counts counts;
  for (const Process& row : processes) {
    if (!selector.Matches(row.pid, processes.comm(row), row.cgroup)) continue;
    counts[{row.pid, row.start_ns}] = {row.minor, row.major, row.stall_ns,
                                       processes.breakdown(row)};
  }
  return counts;
}

void AddGrowth(const Counted& before, const Counted& after, bool by_kind,
               FaultSum* sum) {
  for (size_t cell = 0; by_kind && cell < kBreakdownCells; ++cell) {
    const size_t kind = cell % kKinds, severity = cell / (kAccesses * kKinds);
    sum->faults[ProfileClass(severity, kind)] +=
        static_cast<double>(after.breakdown[cell] - before.breakdown[cell]);
  }
  if (!by_kind) {
    sum->faults[ProfileClass(0, kKinds)] +=
        static_cast<double>(after.minor - before.minor);
    sum->faults[ProfileClass(1, kKinds)] +=
        static_cast<double>(after.major - before.major);
  }
  sum->stall_seconds +=
      static_cast<double>(after.stall_ns - before.stall_ns) / 1e9;
}

// The growth of the counters from one snapshot to a later one of the same
// source. A process that is new began at 0.
FaultSum GrowthOf(const Counts& before, const Counts& after, bool by_kind) {
  FaultSum sum;
  for (const auto& [process, counted] : after) {
    const auto old = before.find(process);
    AddGrowth(old == before.end() ? Counted{} : old->second, counted, by_kind,
              &sum);
  }
  return sum;
}

std::string FileName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string Hexadecimal(uint64_t number) {
  char text[20];
  snprintf(text, sizeof(text), "0x%llx",
           static_cast<unsigned long long>(number));
  return text;
}

}  // namespace

Explainer::Explainer(const ExplainSettings& settings)
    : settings_(settings),
      selector_(settings.what),
      spaces_(settings.procfs),
      functions_(settings.procfs) {}

std::string Explainer::MappingOf(const FaultSample& sample) {
  uint64_t start = 0;
  const Mapping* const mapping =
      spaces_.Find(sample.pid, sample.address, &start);
  if (mapping && !mapping->name.empty()) return mapping->name;
  return mapping || sample.kind == 0 ? "[anonymous]" : "[unknown]";
}

// A caller's frame is the instruction behind its call, which can be the first
// one of another function.
std::string Explainer::FunctionOf(uint32_t pid, uint64_t address,
                                  bool is_caller) {
  const uint64_t inside = address - (is_caller ? 1 : 0);
  uint64_t start = 0;
  const Mapping* const mapping = spaces_.Find(pid, inside, &start);
  if (!mapping) return Hexadecimal(address);
  const uint64_t offset = inside - start + mapping->offset;
  std::string name = functions_.Name(pid, *mapping, offset);
  if (!name.empty()) return name;
  const std::string file =
      mapping->name.empty() ? "[anonymous]" : FileName(mapping->name);
  return file + "+" + Hexadecimal(offset);
}

void Explainer::TakeSample(const FaultSample& sample) {
  if (!selector_.Matches(sample.pid, spaces_.Comm(sample.pid), sample.cgroup))
    return;
  std::vector<std::string> functions;
  for (size_t i = 0; i < sample.frames.size(); ++i)
    functions.push_back(FunctionOf(sample.pid, sample.frames[i], i > 0));
  profile_.Add(sample, MappingOf(sample), functions);
}

void Explainer::Take(const std::vector<Record>& records) {
  for (const Record& record : records) {
    spaces_.Take(record);
    if (const auto* sample = std::get_if<FaultSample>(&record.content))
      TakeSample(*sample);
    else if (const auto* lost = std::get_if<LostRecord>(&record.content))
      lost_ += lost->count;
  }
  spaces_.Forget();
}

void Explainer::Drain() {
  std::vector<Record> records;
  events_.Drain(&records);
  Take(records);
}

void Explainer::Sample(bool (*is_ended)()) {
  const auto end = std::chrono::steady_clock::now() + settings_.time;
  while (std::chrono::steady_clock::now() < end && !is_ended()) {
    std::this_thread::sleep_for(kPause);
    Drain();
  }
}

Result<Explanation> Explainer::Run(Source* module, bool (*is_ended)()) {
  if (selector_.by_cgroup() && !selector_.FindCgroups(settings_.cgroups))
    return Error{Cause::kIo, settings_.cgroups + settings_.what +
                                 ": there is no such control group"};
  if (auto error = events_.Open(settings_.tracefs)) return *error;
  Explanation result;
  result.by_module = events_.by_module();
  Snapshot first, last;
  std::optional<Error> error = module->Read(&first);
  if (selector_.by_cgroup() && !result.by_module)
    return Error{Cause::kNoModule,
                 "the faults of a control group are sampled by the module "
                 "alone" +
                     (error ? ": " + error->message : "")};
  const uint64_t begin = ClockNs(CLOCK_MONOTONIC);
  Sample(is_ended);
  if (selector_.by_cgroup()) selector_.FindCgroups(settings_.cgroups);
  if (!error) error = module->Read(&last);
  result.seconds = static_cast<double>(ClockNs(CLOCK_MONOTONIC) - begin) / 1e9;
  Drain();
  if (!error && first.epoch != last.epoch)
    error = Error{Cause::kIo, "the module was loaded again in the meantime"};

  result.is_exact = result.by_module && !error;
  if (error) result.note = error->message;
  if (result.is_exact) {
    Profile::Exact exact;
    exact.by_kind = last.offered.breakdown;
    exact.stall = last.offered.stall;
    exact.sum = GrowthOf(CountsOf(first.processes, selector_),
                         CountsOf(last.processes, selector_), exact.by_kind);
    result.unsampled = profile_.Scale(exact);
    result.all = exact.sum;
    result.has_stall = exact.stall;
  } else {
    result.all = profile_.total();
  }
  result.samples = profile_.samples();
  result.lost = lost_;
  result.mappings = profile_.mappings();
  result.functions = profile_.functions();
  result.paths = profile_.paths();
  return result;
}

}  // namespace pfe
