// SPDX-License-Identifier: Apache-2.0
// Every option of the program: its name, what it sets, its help and its check.
#ifndef EXPORTER_APP_FLAGS_H_
#define EXPORTER_APP_FLAGS_H_

#include <memory>
#include <string>

#include "app/options.h"

namespace CLI {
class App;
}

namespace pfe {

// Values that CLI11 parses into; ParseOptions() makes one struct of them.
struct RawOptions {
  Options options;
  std::string interval = "5s";
  std::string birth_hold = "60s";
  std::string group_by;
  std::string top_by = "process";
  unsigned seconds = 10;  // of --explain
};

// The parser, which sets `raw`.
std::unique_ptr<CLI::App> MakeApp(RawOptions* raw);

}  // namespace pfe

#endif  // EXPORTER_APP_FLAGS_H_
