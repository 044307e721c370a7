// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_LANDING_PAGE_H_
#define EXPORTER_LANDING_PAGE_H_

#include <string>

#include "publication.h"

namespace pfe {

// The HTML page at /: what this is, its state, and where the metrics are.
std::string LandingPage(const Publication& publication,
                        const std::string& telemetry_path);

}  // namespace pfe

#endif  // EXPORTER_LANDING_PAGE_H_
