// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_BASE_VERSION_H_
#define EXPORTER_BASE_VERSION_H_

namespace pfe {

// The version that the program was built from, e.g. "0.2.0".
const char* Version();

}  // namespace pfe

#endif  // EXPORTER_BASE_VERSION_H_
