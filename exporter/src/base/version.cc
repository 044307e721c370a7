// SPDX-License-Identifier: Apache-2.0
#include "base/version.h"

namespace pfe {

const char* Version() { return PFE_VERSION; }

}  // namespace pfe
