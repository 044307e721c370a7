// SPDX-License-Identifier: Apache-2.0
// The module under test and what it publishes, for programs in the guest.
#ifndef TESTS_VM_MODULE_H_
#define TESTS_VM_MODULE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pf_test {

// Loads the module file named by the environment variable PF_MODULE (default
// /page_faults.ko) with the parameters, e.g. "max_processes=64 latency=0".
// Returns 0 or the errno of finit_module().
int LoadModule(const std::string& parameters = "");

// Unloads the module; returns 0 or the errno of delete_module().
int UnloadModule();

bool ModuleIsLoaded();

// The environment variable PF_PARAMETERS.
std::string DefaultParameters();

// Whether these ask for the return probe.
bool IsKretprobe();
// The hook that the module uses with these: PF_HOOK_NAME_*.
std::string ExpectedHook();
// The hook that the loaded module uses.
std::string HookInUse();

// Sets a parameter of the loaded module; returns whether it accepted the value.
bool SetParameter(const std::string& name, const std::string& value);

// One row of `processes`, its fields by column name.
struct Row {
  std::map<std::string, std::string> fields;

  // The column as a number; fails the test if it is absent or not a number.
  uint64_t Number(const std::string& column) const;
  const std::string& Text(const std::string& column) const;
  bool Has(const std::string& column) const { return fields.count(column); }
  // The breakdown's count for a token such as "mwa", 0 if it has none.
  uint64_t Breakdown(const std::string& token) const;
};

struct Table {
  std::vector<std::string> columns;
  std::vector<Row> rows;

  // The rows of a pid: several after its reuse.
  std::vector<const Row*> Find(int pid) const;
  // The only row of a pid, or null.
  const Row* FindOne(int pid) const;
  uint64_t Sum(const std::string& column) const;
};

using Stats = std::map<std::string, std::string>;

// The whole text of a file of the module; empty if it cannot be read.
std::string ReadModuleFile(const std::string& name);

// Read a file and check its form: magic, header, the number of fields in each
// row, trailer. Fail the test if the form is not the contract's.
Table ReadTable();
Stats ReadStats();
int64_t StatsNumber(const Stats& stats, const std::string& key);

// The counter columns; stats has each as a key, and with retired_ and
// overflow_.
std::vector<std::string> CounterColumns(const Table& table);

// Checks that for every counter global = sum of rows + retired + overflow.
// Reads again while faults are under way. Returns what differs, empty if
// nothing does.
std::string ConservationError();

// Returns the sums within the rows that do not agree, empty if all agree.
std::string RowSumsError(const Table& table);

}  // namespace pf_test

#endif  // TESTS_VM_MODULE_H_
