// SPDX-License-Identifier: Apache-2.0
// Reads the configuration file, a JSON object whose keys are options.
#ifndef EXPORTER_APP_CONFIG_FILE_H_
#define EXPORTER_APP_CONFIG_FILE_H_

#include <string>
#include <vector>

#include "group/rules.h"

namespace CLI {
class App;
}

namespace pfe {

// Applies the file's options that neither a flag nor the environment sets, and
// sets `groups` to the rules under the key of that name. Throws a CLI::Error
// that names the file and the key.
void ApplyConfigFile(const std::string& path, CLI::App* app,
                     std::vector<GroupRule>* groups);

}  // namespace pfe

#endif  // EXPORTER_APP_CONFIG_FILE_H_
