// SPDX-License-Identifier: Apache-2.0
// Checks the values of options. Each function returns what is wrong with a
// value, or an empty text.
#ifndef EXPORTER_APP_OPTION_CHECKS_H_
#define EXPORTER_APP_OPTION_CHECKS_H_

#include <string>

namespace pfe {

std::string CheckDecimal(const std::string& text);
std::string CheckRows(const std::string& text);  // of --top; none is good
std::string CheckInterval(const std::string& text);
std::string CheckBirthHold(const std::string& text);
std::string CheckTelemetryPath(const std::string& path);
std::string CheckAddress(const std::string& address);
std::string CheckExpression(const std::string& regex);

}  // namespace pfe

#endif  // EXPORTER_APP_OPTION_CHECKS_H_
