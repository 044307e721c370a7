// SPDX-License-Identifier: Apache-2.0
#include "source/table_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <sstream>

namespace pfe {
namespace {

using testing::HasSubstr;

std::string Fixture(const std::string& name) {
  std::ifstream file(FIXTURES "/debugfs/page_faults/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

constexpr const char* kHead =
    "# page_faults 1\n"
    "pid\tstart_ns\tstate\tvma_kb\trss_kb\tfaults\tcomm\n";

std::string Table(const std::string& rows, int count) {
  return kHead + rows + "# end rows=" + std::to_string(count) + "\n";
}

Result<Snapshot> ParseTable(std::string_view text, std::string_view file) {
  Snapshot snapshot;
  if (auto error = pfe::ParseTable(text, file, &snapshot)) return *error;
  return snapshot;
}

TEST(ParseTable, ReadsARealTable) {
  const std::string text = Fixture("processes");
  const auto result = ParseTable(text, "processes");
  ASSERT_TRUE(result.ok()) << result.error().message;
  const Snapshot& snapshot = result.value();
  EXPECT_EQ(
      snapshot.processes.size(),
      static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) - 3);
  EXPECT_TRUE(snapshot.offered.breakdown && snapshot.offered.rss_split &&
              snapshot.offered.swap && snapshot.offered.stall &&
              snapshot.offered.severity && snapshot.offered.hugetlb &&
              snapshot.offered.slow && snapshot.offered.cgroup);
  for (const Process& process : snapshot.processes) {
    const Breakdown breakdown = snapshot.processes.breakdown(process);
    EXPECT_EQ(std::accumulate(breakdown.begin(), breakdown.end(), uint64_t{0}),
              process.faults);
    EXPECT_EQ(process.minor + process.major, process.faults);
    EXPECT_EQ(process.rss_anon_kb + process.rss_file_kb + process.rss_shmem_kb,
              process.rss_kb);
    const SlowFaults slow = snapshot.processes.slow(process);
    EXPECT_TRUE(std::is_sorted(slow.rbegin(), slow.rend()) &&
                slow[0] <= process.faults &&
                slow[0] * 1000000 <= process.stall_ns);
  }
  EXPECT_EQ(snapshot.processes.comm(snapshot.processes[0]), "init");
}

TEST(ParseTable, FindsColumnsByName) {
  const auto result = ParseTable(
      "# page_faults 1\n"
      "new_column\tfaults\tpid\trss_kb\tvma_kb\tstate\tstart_ns\thugetlb_kb"
      "\tcgroup\tcomm\n"
      "what\t1\t2\t3\t4\texited\t5\t2048\t4294967297\tsh\n"
      "# end rows=1\n",
      "f");
  ASSERT_TRUE(result.ok()) << result.error().message;
  const Process& process = result.value().processes[0];
  EXPECT_EQ(process.faults, 1u);
  EXPECT_EQ(process.pid, 2u);
  EXPECT_EQ(process.rss_kb, 3u);
  EXPECT_EQ(process.vma_kb, 4u);
  EXPECT_FALSE(process.live);
  EXPECT_EQ(process.start_ns, 5u);
  EXPECT_EQ(process.hugetlb_kb, 2048u);
  EXPECT_EQ(process.cgroup, 4294967297u);
  EXPECT_TRUE(result.value().offered.hugetlb);
  EXPECT_TRUE(result.value().offered.cgroup);
  EXPECT_FALSE(result.value().offered.breakdown);
  EXPECT_FALSE(result.value().offered.stall);
}

TEST(ParseTable, SlowFaultsAreOfferedWithAllTheirColumns) {
  const auto result = ParseTable(
      "# page_faults 1\n"
      "pid\tstart_ns\tstate\tvma_kb\trss_kb\tfaults\tslow_1s\tslow_1ms"
      "\tslow_100ms\tslow_10ms\tcomm\n"
      "1\t1\tlive\t1\t1\t20\t1\t9\t2\t4\tsh\n"
      "2\t1\tlive\t1\t1\t20\t0\t0\t0\t0\tsh\n"
      "# end rows=2\n",
      "f");
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_TRUE(result.value().offered.slow);
  EXPECT_FALSE(result.value().offered.cgroup);
  const ProcessTable& processes = result.value().processes;
  EXPECT_EQ(processes[0].cgroup, 0u);
  EXPECT_EQ(processes.slow(processes[0]), (SlowFaults{9, 4, 2, 1}));
  EXPECT_EQ(processes.slow(processes[1]), SlowFaults{});

  const auto one_is_missing = ParseTable(
      "# page_faults 1\n"
      "pid\tstart_ns\tstate\tvma_kb\trss_kb\tfaults\tslow_1ms\tslow_10ms"
      "\tslow_100ms\tcomm\n"
      "1\t1\tlive\t1\t1\t20\t9\t4\t2\tsh\n"
      "# end rows=1\n",
      "f");
  ASSERT_TRUE(one_is_missing.ok()) << one_is_missing.error().message;
  EXPECT_FALSE(one_is_missing.value().offered.slow);
}

TEST(ParseTable, DecodesCommToValidUtf8) {
  const auto result =
      ParseTable(Table("1\t1\tlive\t1\t1\t1\ta\\tb\\\\\\303\\251\\377\n"
                       "2\t1\tlive\t1\t1\t1\t\n",
                       2),
                 "f");
  ASSERT_TRUE(result.ok()) << result.error().message;
  const ProcessTable& processes = result.value().processes;
  EXPECT_EQ(processes.comm(processes[0]), "a\tb\\\xc3\xa9\xef\xbf\xbd");
  EXPECT_EQ(processes.comm(processes[1]), "");
}

TEST(ParseTable, EmptyTable) {
  const auto result = ParseTable(Table("", 0), "f");
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result.value().processes.empty());
}

struct Bad {
  const char* what;
  std::string text;
  Cause cause;
  const char* message;
};

std::vector<Bad> BadRows() {
  return {
      {"missing field", Table("1\t1\tlive\t1\t1\tsh\n", 1), Cause::kMalformed,
       "f:3: only 6 of 7"},
      {"extra field", Table("1\t1\tlive\t1\t1\t1\tsh\tx\n", 1),
       Cause::kMalformed, "f:3: more than 7"},
      {"empty line", Table("\n", 1), Cause::kMalformed, "f:3: only 1 of 7"},
      {"number", Table("1\t1\tlive\tx\t1\t1\tsh\n", 1), Cause::kMalformed,
       "f:3: field 4 is not understood: \"x\""},
      {"negative", Table("-1\t1\tlive\t1\t1\t1\tsh\n", 1), Cause::kMalformed,
       "field 1"},
      {"too large", Table("1\t1\tlive\t1\t1\t18446744073709551616\tsh\n", 1),
       Cause::kMalformed, "field 6"},
      // It is exported in bytes.
      {"too many kB", Table("1\t1\tlive\t1\t18014398509481984\t1\tsh\n", 1),
       Cause::kMalformed, "field 5"},
      {"pid too large", Table("4294967296\t1\tlive\t1\t1\t1\tsh\n", 1),
       Cause::kMalformed, "field 1"},
      {"no number", Table("1\t1\tlive\t\t1\t1\tsh\n", 1), Cause::kMalformed,
       "f:3: field 4 is not understood: \"\""},
      {"half a number", Table("1\t1\tlive\t1x\t1\t1\tsh\n", 1),
       Cause::kMalformed, "field 4 is not understood: \"1x\""},
      {"two states", Table("1\t1\tliveexited\t1\t1\t1\tsh\n", 1),
       Cause::kMalformed, "field 3"},
      {"comm too long",
       Table("1\t1\tlive\t1\t1\t1\t" + std::string(2000, 'x') + "\n", 1),
       Cause::kMalformed, "field 7"},
      {"state", Table("1\t1\tdead\t1\t1\t1\tsh\n", 1), Cause::kMalformed,
       "field 3"},
      {"escape", Table("1\t1\tlive\t1\t1\t1\ts\\q\n", 1), Cause::kMalformed,
       "field 7"},
  };
}

std::vector<Bad> BadTables() {
  const std::string row = "1\t1\tlive\t1\t1\t1\tsh\n";
  return {
      {"nothing", "", Cause::kTruncated, "f: "},
      {"no newline", "# page_faults 1", Cause::kTruncated, "no first line"},
      {"other file", "hello\n", Cause::kMalformed, "f:1: expected"},
      {"version", "# page_faults 2\n", Cause::kUnknownVersion, "version 2"},
      {"largest version", "# page_faults 99999999999999999999\n",
       Cause::kUnknownVersion, "f: format version"},
      {"version text", "# page_faults x\n", Cause::kMalformed, "f:1"},
      {"no header", "# page_faults 1\n", Cause::kTruncated, "column names"},
      {"no pid", "# page_faults 1\nstart_ns\tcomm\n", Cause::kMalformed,
       "no column pid"},
      {"twice",
       "# page_faults "
       "1\npid\tpid\tstart_ns\tstate\tvma_kb\trss_kb\tfaults\tcomm\n",
       Cause::kMalformed, "two columns pid"},
      {"no trailer", kHead + row, Cause::kTruncated, "no \"# end rows="},
      {"too few rows", Table(row, 2), Cause::kTruncated, "1 of 2 rows"},
      {"too many rows", Table(row + row, 1), Cause::kTruncated, "2 of 1"},
      {"cut row", kHead + row.substr(0, 8), Cause::kTruncated, "cut short"},
      {"line too long", std::string(70000, 'x') + "\n", Cause::kMalformed,
       "f:1: the line is too long"},
      {"endless line", kHead + std::string(70000, '1'), Cause::kMalformed,
       "f:3: the line is too long"},
      {"rest behind", Table("", 0) + "x", Cause::kMalformed, "behind"},
      {"trailer", kHead + std::string("# end rows=x\n"), Cause::kMalformed,
       "f:3"},
      {"comment", kHead + std::string("# hello\n"), Cause::kMalformed, "f:3"},
      {"text behind", Table("", 0) + "x\n", Cause::kMalformed, "behind"},
  };
}

TEST(ParseTable, NamesWhatIsWrong) {
  std::vector<Bad> all = BadTables();
  for (Bad& bad : BadRows()) all.push_back(std::move(bad));
  for (const Bad& bad : all) {
    const auto result = ParseTable(bad.text, "f");
    ASSERT_FALSE(result.ok()) << bad.what;
    EXPECT_EQ(CauseName(result.error().cause),
              std::string(CauseName(bad.cause)))
        << bad.what << ": " << result.error().message;
    EXPECT_THAT(result.error().message, HasSubstr(bad.message)) << bad.what;
  }
}

TEST(ParseTable, BadBreakdowns) {
  const std::string head =
      "# page_faults 1\n"
      "pid\tstart_ns\tstate\tvma_kb\trss_kb\tfaults\tbreakdown\tcomm\n";
  for (const char* bad : {"", "mwa", "mwa=", "mwa=x", "zwa=1", "mza=1", "mwz=1",
                          "mwa=1,", "mwa=1,,mwa=2", ",", "mwa=-1", "--",
                          "-mwa=1", "mwa=1,mwa=2", "-,mwa=1", "mwa=1x"}) {
    const auto result = ParseTable(
        head + "1\t1\tlive\t1\t1\t1\t" + bad + "\tsh\n# end rows=1\n", "f");
    EXPECT_FALSE(result.ok()) << bad;
  }
}

// A table that is cut anywhere is never taken for a complete one.
TEST(ParseTable, EveryPrefixOfARealTableIsAnError) {
  const std::string text = Fixture("processes");
  for (size_t n = 0; n < text.size(); n += 1 + n / 500)
    EXPECT_FALSE(ParseTable(text.substr(0, n), "f").ok()) << n;
}

// Cells may come in any order.
TEST(ParseTable, Breakdown) {
  const auto result = ParseTable(
      "# page_faults 1\n"
      "pid\tstart_ns\tstate\tvma_kb\trss_kb\tfaults\tbreakdown\tcomm\n"
      "1\t1\tlive\t1\t1\t6\tMxh=3,mra=1,mwf=2\tsh\n"
      "2\t1\tlive\t1\t1\t0\t-\tsh\n"
      "# end rows=2\n",
      "f");
  ASSERT_TRUE(result.ok()) << result.error().message;
  const ProcessTable& processes = result.value().processes;
  Breakdown expected{};
  expected[0] = 1;
  expected[5] = 2;
  expected[23] = 3;
  EXPECT_EQ(processes.breakdown(processes[0]), expected);
  EXPECT_EQ(processes.breakdown(processes[1]), Breakdown{});
}

TEST(ParseTable, TheLargestNumber) {
  const auto result = ParseTable(
      Table("1\t1\tlive\t18014398509481983\t00000000000000000000007\t"
            "18446744073709551615\tsh\n",
            1),
      "f");
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result.value().processes[0].vma_kb, UINT64_MAX / 1024);
  EXPECT_EQ(result.value().processes[0].faults, UINT64_MAX);
  EXPECT_EQ(result.value().processes[0].rss_kb, 7u);
}

// The result does not depend on how the text is cut into pieces.
TEST(TableParser, PiecesOfAnySize) {
  const std::string text = Fixture("processes");
  const auto whole = ParseTable(text, "f");
  ASSERT_TRUE(whole.ok());
  for (size_t size : {1u, 2u, 3u, 7u, 100u, 4096u}) {
    Snapshot snapshot;
    TableParser parser("f", &snapshot);
    for (size_t at = 0; at < text.size(); at += size)
      ASSERT_FALSE(parser.Feed(std::string_view(text).substr(at, size)));
    ASSERT_FALSE(parser.Finish());
    ASSERT_EQ(snapshot.processes.size(), whole.value().processes.size());
    for (size_t i = 0; i < snapshot.processes.size(); ++i) {
      const Process& one = snapshot.processes[i];
      const Process& other = whole.value().processes[i];
      EXPECT_EQ(one.faults, other.faults);
      EXPECT_EQ(snapshot.processes.comm(one),
                whole.value().processes.comm(other));
      EXPECT_EQ(snapshot.processes.breakdown(one),
                whole.value().processes.breakdown(other));
    }
  }
}

}  // namespace
}  // namespace pfe
