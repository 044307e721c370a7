// SPDX-License-Identifier: Apache-2.0
#include "poller.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace pfe {
namespace {

// A source that is told what to answer.
class FakeSource : public Source {
 public:
  const char* Name() const override { return "fake"; }
  Result<Snapshot> Read() override {
    ++reads;
    if (fail) return Error{Cause::kNoModule, "fake: gone"};
    Snapshot snapshot;
    Process& process = snapshot.processes.emplace_back();
    process.live = true;
    process.pid = 1;
    process.comm = "init";
    process.faults = reads;
    return snapshot;
  }

  std::atomic<bool> fail = false;
  std::atomic<uint64_t> reads = 0;
};

TEST(Publish, RendersAGoodRead) {
  FakeSource source;
  const Publication publication = Publish(&source, Publication());
  EXPECT_NE(publication.text->find("page_faults_total{pid=\"1\""),
            std::string::npos);
  EXPECT_EQ(publication.processes, 1u);
  EXPECT_EQ(publication.ticks, 1u);
  EXPECT_TRUE(publication.read_at.has_value());
  EXPECT_FALSE(publication.error);
}

TEST(Publish, AFailedReadDropsProcessesAndKeepsCounts) {
  FakeSource source;
  const Publication good = Publish(&source, Publication());
  source.fail = true;
  Publication bad = Publish(&source, good);
  EXPECT_EQ(bad.text->find("page_faults_total{"), std::string::npos);
  EXPECT_EQ(bad.read_at, good.read_at);
  EXPECT_EQ(bad.errors[static_cast<size_t>(Cause::kNoModule)], 1u);
  bad = Publish(&source, bad);
  EXPECT_EQ(bad.errors[static_cast<size_t>(Cause::kNoModule)], 2u);
  source.fail = false;
  const Publication again = Publish(&source, bad);
  EXPECT_FALSE(again.error);
  EXPECT_EQ(again.errors[static_cast<size_t>(Cause::kNoModule)], 2u);
  EXPECT_EQ(again.ticks, 4u);
}

TEST(Poller, ReadsAtOnceAndThenOnTheTimer) {
  FakeSource source;
  std::atomic<uint64_t> ticks = 0;
  const Poller poller(&source, std::chrono::milliseconds(1),
                      [&ticks](const Publication& p) { ticks = p.ticks; });
  EXPECT_GE(poller.Current()->ticks, 1u);
  while (ticks < 5) std::this_thread::yield();
  EXPECT_GE(poller.Current()->ticks, 5u);
}

TEST(Poller, EndsWithoutWaitingForItsInterval) {
  FakeSource source;
  { const Poller poller(&source, std::chrono::hours(1), [](const auto&) {}); }
  EXPECT_EQ(source.reads, 1u);
}

}  // namespace
}  // namespace pfe
