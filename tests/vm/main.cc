// SPDX-License-Identifier: Apache-2.0
// Tests of the module in its guest. Every test starts with the module freshly
// loaded with default parameters and ends with the promises that hold always:
// the sums of the rows, the conservation law, no drift, nothing missed.
#include <gtest/gtest.h>
#include <unistd.h>

#include "module.h"
#include "page_faults.h"

namespace {

using namespace pf_test;

int64_t Drift() { return StatsNumber(ReadStats(), PF_KEY_DRIFT); }

class Promises : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo&) override {
    if (ModuleIsLoaded()) UnloadModule();
    const int error = LoadModule();
    if (error) ADD_FAILURE() << "cannot load the module: errno " << error;
  }

  void OnTestEnd(const testing::TestInfo&) override {
    if (!ModuleIsLoaded()) return;
    EXPECT_EQ(ConservationError(), "");
    EXPECT_EQ(RowSumsError(ReadTable()), "");
    EXPECT_EQ(StatsNumber(ReadStats(), PF_KEY_PROBE_MISSED), 0);
    for (int i = 0; i < 50 && Drift() != 0; ++i) usleep(20000);
    EXPECT_EQ(Drift(), 0);
  }
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // The default printer is told of a test's end in reverse order of
  // registration, so that it still sees failures of the promises.
  testing::UnitTest::GetInstance()->listeners().Append(new Promises);
  const int result = RUN_ALL_TESTS();
  if (ModuleIsLoaded()) UnloadModule();
  return result;
}
