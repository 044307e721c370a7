// SPDX-License-Identifier: Apache-2.0
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

#include "page_faults.h"
#include "subject.h"

namespace pf_test {
namespace {

const char kDirectory[] = "/sys/kernel/debug/" PF_DEBUGFS_DIR "/";

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);)
    parts.push_back(part);
  return parts;
}

uint64_t ParseNumber(const std::string& text, const std::string& what) {
  uint64_t n = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), n);
  EXPECT_TRUE(error == std::errc() && end == text.data() + text.size())
      << what << " is no number: \"" << text << "\"";
  return n;
}

// A buffer for a file. Its pages are touched here, so that reading into it
// causes no faults.
struct Buffer {
  Buffer() : bytes(16 << 20, 'x') {}
  std::string bytes;
};
Buffer g_buffers[3];

std::string_view ReadRaw(const std::string& name, Buffer* buffer) {
  const int fd = open((kDirectory + name).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  size_t size = 0;
  ssize_t n;
  while ((n = read(fd, buffer->bytes.data() + size,
                   buffer->bytes.size() - size)) > 0)
    size += static_cast<size_t>(n);
  EXPECT_EQ(n, 0) << "read " << name << ": errno " << errno;
  close(fd);
  return {buffer->bytes.data(), size};
}

bool IsCounter(const std::string& column) {
  static const std::set<std::string> kOthers = {
      PF_COL_PID,         PF_COL_START_NS,     PF_COL_STATE,
      PF_COL_VMA_KB,      PF_COL_RSS_KB,       PF_COL_RSS_ANON_KB,
      PF_COL_RSS_FILE_KB, PF_COL_RSS_SHMEM_KB, PF_COL_SWAP_KB,
      PF_COL_HUGETLB_KB,  PF_COL_BY_CPU,       PF_COL_BREAKDOWN,
      PF_COL_CGROUP,      PF_COL_COMM};
  return !kOthers.count(column);
}

}  // namespace

int LoadModule(const std::string& parameters) {
  const char* path = getenv("PF_MODULE");
  const int fd = open(path ? path : "/page_faults.ko", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const long result = syscall(SYS_finit_module, fd, parameters.c_str(), 0);
  const int error = result ? errno : 0;
  close(fd);
  return error;
}

int UnloadModule() {
  return syscall(SYS_delete_module, "page_faults", O_NONBLOCK) ? errno : 0;
}

bool ModuleIsLoaded() { return access("/sys/module/page_faults", F_OK) == 0; }

std::string DefaultParameters() {
  const char* parameters = getenv("PF_PARAMETERS");
  return parameters ? parameters : "";
}

bool IsKretprobe() {
  return DefaultParameters().find("hook=kretprobe") != std::string::npos;
}

std::string ExpectedHook() {
  return IsKretprobe() ? PF_HOOK_NAME_KRETPROBE : PF_HOOK_NAME_DIRECT;
}

std::string HookInUse() { return ReadStats()[PF_KEY_HOOK]; }

bool SetParameter(const std::string& name, const std::string& value) {
  std::ofstream file("/sys/module/page_faults/parameters/" + name);
  file << value << std::flush;
  return file.good();
}

uint64_t Row::Number(const std::string& column) const {
  return ParseNumber(Text(column), column);
}

const std::string& Row::Text(const std::string& column) const {
  static const std::string kNone;
  auto field = fields.find(column);
  EXPECT_NE(field, fields.end()) << "no column " << column;
  return field == fields.end() ? kNone : field->second;
}

uint64_t Row::Breakdown(const std::string& token) const {
  for (const std::string& part : Split(Text(PF_COL_BREAKDOWN), ','))
    if (part.rfind(token + "=", 0) == 0)
      return ParseNumber(part.substr(token.size() + 1), part);
  return 0;
}

std::vector<const Row*> Table::Find(int pid) const {
  std::vector<const Row*> found;
  for (const Row& row : rows)
    if (row.Text(PF_COL_PID) == std::to_string(pid)) found.push_back(&row);
  return found;
}

const Row* Table::FindOne(int pid) const {
  std::vector<const Row*> found = Find(pid);
  EXPECT_LE(found.size(), 1u) << "several rows of pid " << pid;
  return found.empty() ? nullptr : found.front();
}

uint64_t Table::Sum(const std::string& column) const {
  uint64_t sum = 0;
  for (const Row& row : rows) sum += row.Number(column);
  return sum;
}

std::string ReadModuleFile(const std::string& name) {
  return std::string(ReadRaw(name, &g_buffers[0]));
}

Table ParseTable(const std::string& text) {
  Table table;
  std::vector<std::string> lines = Split(text, '\n');
  if (lines.size() < 3 || text.back() != '\n') {
    ADD_FAILURE() << "processes is cut short: " << lines.size() << " lines";
    return table;
  }
  EXPECT_EQ(lines[0], PF_MAGIC + std::to_string(PF_FORMAT_VERSION));
  table.columns = Split(lines[1], '\t');
  EXPECT_EQ(table.columns.back(), PF_COL_COMM);
  for (size_t i = 2; i + 1 < lines.size(); ++i) {
    std::vector<std::string> fields = Split(lines[i] + "\t|", '\t');
    fields.pop_back();
    EXPECT_EQ(fields.size(), table.columns.size()) << "line " << i + 1;
    if (fields.size() != table.columns.size()) continue;
    Row row;
    for (size_t c = 0; c < fields.size(); ++c)
      row.fields[table.columns[c]] = fields[c];
    table.rows.push_back(row);
  }
  EXPECT_EQ(lines.back(), PF_TRAILER + std::to_string(table.rows.size()));
  return table;
}

Table ReadTable() { return ParseTable(ReadModuleFile(PF_FILE_PROCESSES)); }

Stats ParseStats(const std::string& text) {
  Stats stats;
  const std::vector<std::string> lines = Split(text, '\n');
  for (const std::string& line : lines) {
    const size_t space = line.find(' ');
    EXPECT_NE(space, std::string::npos) << line;
    if (space == std::string::npos) continue;
    EXPECT_TRUE(
        stats.emplace(line.substr(0, space), line.substr(space + 1)).second)
        << "twice: " << line;
  }
  if (lines.empty()) {
    ADD_FAILURE() << "no stats";
    return stats;
  }
  EXPECT_EQ(lines.front(),
            PF_KEY_VERSION " " + std::to_string(PF_FORMAT_VERSION));
  EXPECT_EQ(lines.back(), PF_KEY_END " " + std::to_string(lines.size() - 1));
  return stats;
}

Stats ReadStats() { return ParseStats(ReadModuleFile(PF_FILE_STATS)); }

int64_t StatsNumber(const Stats& stats, const std::string& key) {
  auto value = stats.find(key);
  EXPECT_NE(value, stats.end()) << "no key " << key;
  if (value == stats.end()) return 0;
  const bool negative = value->second.rfind('-', 0) == 0;
  const int64_t n = static_cast<int64_t>(
      ParseNumber(value->second.substr(negative ? 1 : 0), key));
  return negative ? -n : n;
}

std::vector<std::string> CounterColumns(const Table& table) {
  std::vector<std::string> counters;
  std::copy_if(table.columns.begin(), table.columns.end(),
               std::back_inserter(counters), IsCounter);
  return counters;
}

namespace {

// Compares one reading. Returns nothing if a fault was counted meanwhile, so
// that the reading says nothing.
std::optional<std::string> CompareSums() {
  // All three are read before the first is parsed, since parsing faults.
  const std::string_view raw_before = ReadRaw(PF_FILE_STATS, &g_buffers[0]);
  const std::string_view raw_table = ReadRaw(PF_FILE_PROCESSES, &g_buffers[1]);
  const std::string_view raw_after = ReadRaw(PF_FILE_STATS, &g_buffers[2]);
  const Stats before = ParseStats(std::string(raw_before));
  const Table table = ParseTable(std::string(raw_table));
  const Stats after = ParseStats(std::string(raw_after));
  std::string error;
  for (const std::string& column : CounterColumns(table)) {
    const int64_t rest = StatsNumber(after, PF_KEY_RETIRED_PREFIX + column) +
                         StatsNumber(after, PF_KEY_OVERFLOW_PREFIX + column);
    const int64_t sum = static_cast<int64_t>(table.Sum(column)) + rest;
    const int64_t global = StatsNumber(after, column);
    if (sum != global)
      error += column + ": global " + std::to_string(global) +
               ", rows + retired + overflow " + std::to_string(sum) + "; ";
  }
  if (before.at(PF_COL_FAULTS) != after.at(PF_COL_FAULTS)) return {};
  return error;
}

}  // namespace

std::string ConservationError() {
  // A difference must last: a row that is dropped between the readings makes
  // one, too.
  std::optional<std::string> error;
  for (int different = 0; different < 50;) {
    if (!Eventually([&] { return (error = CompareSums()).has_value(); }))
      return "the machine never came to rest";
    if (error->empty()) return "";
    ++different;
    usleep(20000);
  }
  return *error;
}

std::string RowSumsError(const Table& table) {
  if (!table.rows.empty() && !table.rows[0].Has(PF_COL_BREAKDOWN)) return "";
  static const std::vector<std::vector<const char*>> kPartitions = {
      {PF_COL_MINOR, PF_COL_MAJOR},
      {PF_COL_READ, PF_COL_WRITE, PF_COL_EXEC},
      {PF_COL_USER, PF_COL_KERNEL, PF_COL_REMOTE},
      {PF_COL_ANON, PF_COL_FILE, PF_COL_SHMEM, PF_COL_HUGETLB}};
  std::string error;
  for (const Row& row : table.rows) {
    const uint64_t faults = row.Number(PF_COL_FAULTS);
    for (const auto& partition : kPartitions) {
      uint64_t sum = 0;
      for (const char* column : partition) sum += row.Number(column);
      if (sum != faults)
        error += "pid " + row.Text(PF_COL_PID) + ": " + partition[0] +
                 " + ... is not faults; ";
    }
    uint64_t breakdown = 0;
    for (char s : std::string(PF_BREAKDOWN_SEVERITIES))
      for (char a : std::string(PF_BREAKDOWN_ACCESSES))
        for (char k : std::string(PF_BREAKDOWN_KINDS))
          breakdown += row.Breakdown({s, a, k});
    if (breakdown != faults)
      error += "pid " + row.Text(PF_COL_PID) + ": breakdown is not faults; ";
    if (row.Number(PF_COL_RSS_KB) != row.Number(PF_COL_RSS_ANON_KB) +
                                         row.Number(PF_COL_RSS_FILE_KB) +
                                         row.Number(PF_COL_RSS_SHMEM_KB))
      error += "pid " + row.Text(PF_COL_PID) + ": rss split; ";
  }
  return error;
}

}  // namespace pf_test
