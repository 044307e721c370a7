// SPDX-License-Identifier: Apache-2.0
// Functions without frame pointers that call each other.
#ifndef TESTS_UNIT_PROFILE_DEEP_CALLS_H_
#define TESTS_UNIT_PROFILE_DEEP_CALLS_H_

#include "profile/record.h"

namespace deep_calls {

// Each calls the one above it; the first copies its registers and its stack as
// perf would do.
pfe::UserStack Copy();
pfe::UserStack First();
pfe::UserStack Second(int number);
// Calls itself so often before.
pfe::UserStack Third(int depth);

}  // namespace deep_calls

#endif  // TESTS_UNIT_PROFILE_DEEP_CALLS_H_
