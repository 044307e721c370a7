// SPDX-License-Identifier: Apache-2.0
// Tests of the module in its guest. Before each test the module is loaded anew,
// with the parameters in the environment variable PF_PARAMETERS (none by
// default), and uses the hook that these ask for. The tests named HookFresh
// load it themselves. After each test its promises are checked: the sums within
// the rows agree; global = rows + retired + overflow; no drift; no call missed;
// every row equals /proc.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "module.h"
#include "page_faults.h"
#include "subject.h"

namespace {

using namespace pf_test;

// Reads a figure that should be 0. Faults under way can make it differ for a
// moment, so it is read again for a second.
int64_t AtRest(const char* key) {
  int64_t n = StatsNumber(ReadStats(), key);
  Eventually([&] { return (n = StatsNumber(ReadStats(), key)) == 0; });
  return n;
}

class Promises : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& test) override {
    if (ModuleIsLoaded()) UnloadModule();
    if (test.test_suite_name() == std::string("HookFresh")) return;
    const int error = LoadModule(DefaultParameters());
    if (error) {
      ADD_FAILURE() << "cannot load the module: errno " << error;
      return;
    }
    Stats stats = ReadStats();
    EXPECT_EQ(stats[PF_KEY_HOOK], ExpectedHook()) << stats[PF_KEY_HOOK_REASON];
  }

  void OnTestEnd(const testing::TestInfo&) override {
    if (!ModuleIsLoaded()) return;
    EXPECT_EQ(ConservationError(), "");
    EXPECT_EQ(RowSumsError(ReadTable()), "");
    EXPECT_EQ(StatsNumber(ReadStats(), PF_KEY_PROBE_MISSED), 0);
    EXPECT_EQ(AtRest(PF_KEY_DRIFT), 0);
    if (StatsNumber(ReadStats(), PF_KEY_OVERFLOW_PREFIX PF_COL_FAULTS) == 0) {
      EXPECT_EQ(AtRest(PF_KEY_ROWS_DIFFER), 0);
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // At the end of a test the listeners are called in reverse order, so that the
  // default printer comes after ours and prints its failures too.
  testing::UnitTest::GetInstance()->listeners().Append(new Promises);
  const int result = RUN_ALL_TESTS();
  if (ModuleIsLoaded()) UnloadModule();
  return result;
}
