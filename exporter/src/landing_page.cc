// SPDX-License-Identifier: Apache-2.0
#include "landing_page.h"

#include "self_metrics.h"
#include "text.h"

namespace pfe {

std::string LandingPage(const Publication& publication,
                        const std::string& telemetry_path) {
  const std::string state =
      publication.error
          ? "The source cannot be read: " + publication.error->message
          : std::to_string(publication.processes) +
                " processes, read from the source \"" + publication.source +
                "\".";
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
         "<title>page_fault_exporter</title></head>\n<body>\n"
         "<h1>page_fault_exporter</h1>\n<p>Version " +
         EscapeHtml(Version()) + ". " + EscapeHtml(state) +
         "</p>\n<ul>\n<li><a href=\"" + EscapeHtml(telemetry_path) +
         "\">Metrics</a></li>\n"
         "<li><a href=\"/-/healthy\">Healthy</a></li>\n"
         "<li><a href=\"/-/ready\">Ready</a></li>\n</ul>\n</body>\n</html>\n";
}

}  // namespace pfe
