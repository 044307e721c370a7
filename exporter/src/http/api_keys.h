// SPDX-License-Identifier: Apache-2.0
// The API's keys of what the module says about itself. They are part of the
// API, and do not change when the module's own keys do, which only source/
// knows.
#ifndef EXPORTER_HTTP_API_KEYS_H_
#define EXPORTER_HTTP_API_KEYS_H_

#include <string>
#include <utility>

#include "base/snapshot.h"

namespace pfe {

inline constexpr std::pair<const char*, std::string ModuleStats::*>
    kApiModuleTexts[] = {
        {"module_version", &ModuleStats::version},
        {"detail", &ModuleStats::detail},
        {"hook", &ModuleStats::hook},
        {"hook_reason", &ModuleStats::hook_reason},
        {"clock", &ModuleStats::clock},
};

inline constexpr std::pair<const char*, ModuleNumber> kApiModuleNumbers[] = {
    {"loaded_ns", ModuleNumber::kLoadedNs},
    {"capacity", ModuleNumber::kCapacity},
    {"blocks", ModuleNumber::kBlocks},
    {"blocks_used", ModuleNumber::kBlocksUsed},
    {"live", ModuleNumber::kLive},
    {"exited", ModuleNumber::kExited},
    {"retired_rows", ModuleNumber::kRetiredRows},
    {"retired_faults", ModuleNumber::kRetiredFaults},
    {"overflow_faults", ModuleNumber::kOverflowFaults},
    {"probe_missed", ModuleNumber::kProbeMissed},
    {"kernel_pgfault", ModuleNumber::kKernelPgfault},
    {"drift", ModuleNumber::kDrift},
    {"rows_differ", ModuleNumber::kRowsDiffer},
};

inline constexpr std::pair<const char*, HostCounter> kApiHostCounters[] = {
    {"retried", HostCounter::kRetried},   {"sigbus", HostCounter::kSigbus},
    {"sigsegv", HostCounter::kSigsegv},   {"oom", HostCounter::kOom},
    {"hwpoison", HostCounter::kHwpoison},
};

}  // namespace pfe

#endif  // EXPORTER_HTTP_API_KEYS_H_
