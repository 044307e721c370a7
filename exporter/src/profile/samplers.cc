// SPDX-License-Identifier: Apache-2.0
#include "profile/samplers.h"

#include <array>

namespace pfe {
namespace {

// For how many faults a sample stands, by level. 0: the module's event says it
// for each sample. Primes do not keep step with loops of programs.
using Periods = std::array<uint64_t, kSampleLevels>;
constexpr Periods kOfModule = {0, 1553, 24851};
constexpr Periods kOfMinor = {97, 1553, 24851};
constexpr Periods kOfMajor = {1, 17, 257};

perf_event_attr Common(const EventKind& kind) {
  perf_event_attr attr{};
  attr.size = sizeof(attr);
  attr.sample_type = SampleType(kind);
  attr.read_format = PERF_FORMAT_LOST;
  attr.sample_id_all = 1;
  attr.exclude_callchain_kernel = 1;
  attr.use_clockid = 1;
  attr.clockid = kSampleClock;
  if (kind.has_stack) {
    attr.sample_regs_user = kUserRegistersMask;
    attr.sample_stack_user = kStackBytes;
  }
  return attr;
}

// A sampler for each level of an event.
void Append(uint32_t type, uint64_t config, EventKind kind,
            const Periods& periods, std::vector<Sampler>* samplers) {
  for (size_t level = 0; level < kSampleLevels; ++level) {
    kind.period = periods[level];
    Sampler sampler = {Common(kind), kind, level};
    sampler.attr.type = type;
    sampler.attr.config = config;
    sampler.attr.sample_period = kind.period == 0 ? 1 : kind.period;
    sampler.attr.disabled = level > 0;
    samplers->push_back(sampler);
  }
}

}  // namespace

std::vector<Sampler> Samplers(std::optional<uint64_t> module_event,
                              bool call_paths, bool stacks) {
  std::vector<Sampler> samplers;
  EventKind kind;
  kind.has_call_path = call_paths;
  kind.has_stack = stacks;
  if (module_event) {
    kind.is_fault_event = true;
    Append(PERF_TYPE_TRACEPOINT, *module_event, kind, kOfModule, &samplers);
    return samplers;
  }
  Append(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN, kind, kOfMinor,
         &samplers);
  kind.severity = 1;
  Append(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MAJ, kind, kOfMajor,
         &samplers);
  return samplers;
}

perf_event_attr TaskEvent() {
  perf_event_attr attr = Common({});
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_DUMMY;
  attr.mmap = attr.mmap_data = attr.mmap2 = 1;
  attr.comm = attr.comm_exec = attr.task = 1;
  attr.build_id = 1;
  return attr;
}

}  // namespace pfe
