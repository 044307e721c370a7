// SPDX-License-Identifier: Apache-2.0
// Walks over control groups.
#ifndef EXPORTER_PROFILE_CGROUP_WALK_H_
#define EXPORTER_PROFILE_CGROUP_WALK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace pfe {

// A walk over more ends.
inline constexpr size_t kMostCgroups = 20'000;

// Calls `use` with the id and the path of a control group and of those below
// it, in this order; `mount` is where cgroup2 is mounted. What cannot be read
// or vanishes meanwhile is left out. Ends when `is_ended` returns true. Returns
// whether there were not more than kMostCgroups.
bool WalkCgroups(const std::string& mount, const std::string& path,
                 const std::function<bool()>& is_ended,
                 const std::function<void(uint64_t, const std::string&)>& use);

}  // namespace pfe

#endif  // EXPORTER_PROFILE_CGROUP_WALK_H_
