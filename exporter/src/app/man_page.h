// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_APP_MAN_PAGE_H_
#define EXPORTER_APP_MAN_PAGE_H_

#include <string>

namespace pfe {

// The manual page page_fault_exporter(8), written with the macros of man(7).
std::string ManPage();

}  // namespace pfe

#endif  // EXPORTER_APP_MAN_PAGE_H_
