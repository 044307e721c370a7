// SPDX-License-Identifier: Apache-2.0
// Reads the configuration file, a JSON object whose keys are options.
#ifndef EXPORTER_APP_CONFIG_FILE_H_
#define EXPORTER_APP_CONFIG_FILE_H_

#include <string>

namespace CLI {
class App;
}

namespace pfe {

// Applies the file's options that neither a flag nor the environment sets.
// Throws a CLI::Error that names the file and the key.
void ApplyConfigFile(const std::string& path, CLI::App* app);

}  // namespace pfe

#endif  // EXPORTER_APP_CONFIG_FILE_H_
