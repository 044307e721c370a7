// SPDX-License-Identifier: Apache-2.0
#include "tick/poller.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <new>
#include <stdexcept>

#include "fake_procfs.h"
#include "samples.h"
#include "tick/boot_moment.h"
#include "tick/pipeline.h"
#include "wait.h"

namespace pfe {
namespace {

size_t Errors(const View& view, Cause cause) {
  return view.errors[static_cast<size_t>(cause)];
}

TEST(Pipeline, PublishesAGoodRead) {
  FakeSource source;
  source.Then(Of({Live(1, 1, "init", 1)}));
  Pipeline pipeline(&source, {});
  const View view = *pipeline.Tick();
  EXPECT_EQ(view.families.at(0).metric, Metric::kFaults);
  EXPECT_EQ(view.processes, 1u);
  EXPECT_EQ(view.ticks, 1u);
  EXPECT_TRUE(view.read_at.has_value());
  EXPECT_FALSE(view.error);
}

TEST(Pipeline, AFailedReadDropsProcessesAndKeepsCounts) {
  FakeSource source;
  source.Then(Of({Live(1, 1, "init", 5)}));
  for (int i = 0; i < 2; ++i) source.Then(Error{Cause::kNoModule, "gone"});
  source.Then(Of({Live(1, 1, "init", 6)}));
  Pipeline pipeline(&source, {});
  const View good = *pipeline.Tick();
  View bad = *pipeline.Tick();
  EXPECT_TRUE(bad.families.empty());
  EXPECT_EQ(bad.read_at, good.read_at);
  EXPECT_GT(good.read_unix_seconds, 1e9);
  EXPECT_EQ(bad.read_unix_seconds, good.read_unix_seconds);
  EXPECT_EQ(Errors(bad, Cause::kNoModule), 1u);
  bad = *pipeline.Tick();
  EXPECT_EQ(Errors(bad, Cause::kNoModule), 2u);
  const View again = *pipeline.Tick();
  EXPECT_FALSE(again.error);
  EXPECT_EQ(*again.families.at(0).samples->plain(),
            "page_faults_total{pid=\"1\",comm=\"init\"} 6\n");
  EXPECT_EQ(again.ticks, 4u);
}

// Its faults would count twice, and Prometheus refuses two equal series.
TEST(Pipeline, AProcessThatIsThereTwiceIsAFailedRead) {
  FakeSource source;
  source.Then(Of({Live(1, 1, "init", 5)}));
  source.Then(Of({Live(1, 1, "init", 6), Live(1, 1, "init", 6)}));
  source.Then(Of({Live(1, 1, "init", 7)}));
  Pipeline pipeline(&source, {});
  const View good = *pipeline.Tick();
  const View bad = *pipeline.Tick();
  ASSERT_TRUE(bad.error);
  EXPECT_EQ(bad.error->cause, Cause::kMalformed);
  EXPECT_EQ(bad.error->message, "the source module has two rows of pid 1");
  EXPECT_EQ(Errors(bad, Cause::kMalformed), 1u);
  EXPECT_TRUE(bad.families.empty());
  EXPECT_EQ(bad.read_at, good.read_at);
  const View again = *pipeline.Tick();
  EXPECT_FALSE(again.error);
  EXPECT_EQ(again.comms->at(1).counters.faults, 2u);
}

uint64_t FaultsOfGroup(const View& view, std::string_view name) {
  if (!view.groups) return 0;
  for (const NamedSums& sums : *view.groups)
    if (sums.name == name) return sums.counters.faults;
  return 0;
}

// Growth goes to the group of the tick that sees it. Sums that begin later than
// the service begin at 0.
TEST(Pipeline, RulesOfGroupsCanChange) {
  FakeSource source;
  for (uint64_t faults = 5; faults <= 8; ++faults)
    source.Then(Of({Live(1, 1, "init", faults)}));
  Pipeline pipeline(&source, {});
  EXPECT_EQ(pipeline.Tick()->groups, nullptr);
  PipelineSettings settings;
  settings.groups = {GroupBy(Field::kComm)};
  pipeline.Configure(settings);
  EXPECT_EQ(FaultsOfGroup(*pipeline.Tick(), "init"), 0u);
  EXPECT_EQ(FaultsOfGroup(*pipeline.Tick(), "init"), 1u);
  settings.groups[0].name = "all";
  pipeline.Configure(settings);
  const auto view = pipeline.Tick();
  EXPECT_EQ(FaultsOfGroup(*view, "init"), 1u);
  EXPECT_EQ(FaultsOfGroup(*view, "all"), 1u);
}

// Nothing of the process has changed, but its comm has.
TEST(Pipeline, ACommThatLeavesTheBucketIsRenderedAgain) {
  FakeSource source;
  for (int i = 0; i < 3; ++i) source.Then(Of({Live(1, 1, "init", 5)}));
  PipelineSettings settings;
  settings.max_comms = 0;
  Pipeline pipeline(&source, settings);
  const auto processes_by_comm = [&pipeline] {
    const auto view = pipeline.Tick();
    for (const RenderedFamily& family : view->families)
      if (family.metric == Metric::kCommProcesses)
        return *family.samples->plain();
    return std::string();
  };
  EXPECT_EQ(processes_by_comm(),
            "page_fault_comm_processes{comm=\"other\"} 1\n");
  settings.max_comms = 1;
  pipeline.Configure(settings);
  EXPECT_EQ(processes_by_comm(),
            "page_fault_comm_processes{comm=\"other\"} 0\n"
            "page_fault_comm_processes{comm=\"init\"} 1\n");
}

TEST(Pipeline, SaysWhyItFellBack) {
  FakeSource source;
  Snapshot snapshot = Of({Live(1, 1, "init", 5)}, "procfs", 0);
  snapshot.fell_back = Error{Cause::kNoDebugfs, "no debugfs"};
  source.Then(std::move(snapshot));
  Pipeline pipeline(&source, {});
  const View view = *pipeline.Tick();
  EXPECT_EQ(view.source, "procfs");
  EXPECT_FALSE(view.error);
  EXPECT_EQ(view.reason->message, "no debugfs");
  EXPECT_EQ(Errors(view, Cause::kNoDebugfs), 1u);
}

// A source that falls back to one that cannot be read either.
class HiddenSource : public Source {
 public:
  const char* Name() const override { return "module"; }
  std::optional<Error> Read(Snapshot* snapshot) override {
    snapshot->fell_back = Error{Cause::kNoModule, "no module"};
    return Error{Cause::kHidden, "no module; hidden"};
  }
};

TEST(Pipeline, BothCausesAreCountedIfBothSourcesFail) {
  HiddenSource source;
  Pipeline pipeline(&source, {});
  const View view = *pipeline.Tick();
  EXPECT_EQ(view.error->message, "no module; hidden");
  EXPECT_EQ(view.reason->cause, Cause::kNoModule);
  EXPECT_EQ(Errors(view, Cause::kNoModule), 1u);
  EXPECT_EQ(Errors(view, Cause::kHidden), 1u);
  EXPECT_EQ(Errors(view, Cause::kIo), 0u);
}

TEST(Pipeline, TakesNewSettings) {
  FakeSource source;
  source.Then(Of({Live(1, 1, "init", 5)}));
  Pipeline pipeline(&source, {});
  PipelineSettings settings;
  settings.selection.no_pid = true;
  pipeline.Configure(settings);
  const View view = *pipeline.Tick();
  EXPECT_EQ(view.processes_omitted, 1u);
  EXPECT_EQ(view.families.at(0).metric, Metric::kCommFaults);
}

TEST(Pipeline, WithoutControlGroupsTheirErrorsAreNone) {
  FakeProcesses procfs;
  procfs.Start(1, 1);
  std::filesystem::create_symlink("cgroup", procfs.root() + "/1/cgroup");
  const std::string logs = procfs.root() + "/log";
  std::filesystem::create_directory(logs);
  std::filesystem::create_symlink("pods", logs + "/pods");
  const std::string uid = "2f1c7a60-5b0e-4d0b-9a3e-0c5d9f6c1b11";
  procfs.Start(2, 1);
  procfs.Write(2, "cgroup", "0::/kubepods/pod" + uid + "\n");
  FakeSource source;
  source.Then(Of({Live(2, 1, "a", 5)}));
  PipelineSettings settings;
  settings.procfs = procfs.root();
  settings.pod_logs = logs;
  settings.max_cgroups = 0;
  settings.containers = true;
  Pipeline pipeline(&source, settings);
  EXPECT_NE(pipeline.Tick()->names_error, "");
  std::filesystem::remove(procfs.root() + "/1/cgroup");
  EXPECT_TRUE(pipeline.Tick()->pod_names_error);
  std::filesystem::create_symlink("cgroup", procfs.root() + "/1/cgroup");
  EXPECT_NE(pipeline.Tick()->names_error, "");
  settings.containers = false;
  pipeline.Configure(settings);
  const auto view = pipeline.Tick();
  EXPECT_EQ(view->names_error, "");
  EXPECT_FALSE(view->pod_names_error);
}

std::string TextOf(const View& view, Metric metric) {
  for (const RenderedFamily& family : view.families)
    if (family.metric == metric) return *family.samples->plain();
  return "";
}

// A comm that runs once starts at 0 in the metrics, also across reads that
// fail, and is told at the end of the hold although nothing changes then.
TEST(Pipeline, HoldsBackWhatIsBornAboveZero) {
  const std::string series =
      "page_fault_comm_faults_total{comm=\"burst\",severity=\"minor\",access="
      "\"unknown\",kind=\"unknown\"} ";
  FakeSource source;
  source.Then(Of({}));
  source.Then(Of({Exited(7, 1, "burst", 100000)}));  // ticks are 1 s apart
  source.Then(Error{Cause::kNoModule, "gone"});
  for (int i = 0; i < 4; ++i) source.Then(Of({}));
  PipelineSettings settings;
  settings.birth_hold = std::chrono::seconds(1);
  Pipeline pipeline(&source, settings);
  pipeline.Tick();
  auto view = pipeline.Tick();
  EXPECT_EQ(TextOf(*view, Metric::kCommFaults), series + "0\n");
  EXPECT_EQ(view->held.faults, 100000u);
  EXPECT_EQ(view->comms->at(1).counters.faults, 100000u);
  view = pipeline.Tick();
  ASSERT_TRUE(view->error);
  EXPECT_EQ(view->held.faults, 0u) << "no sums are shown";
  for (int i = 0; i < 2; ++i) {
    view = pipeline.Tick();
    EXPECT_EQ(TextOf(*view, Metric::kCommFaults), series + "0\n");
  }
  view = pipeline.Tick();
  EXPECT_EQ(TextOf(*view, Metric::kCommFaults), series + "100000\n");
  EXPECT_EQ(view->held.faults, 0u);
}

// Sums by control group and by group do the same, also if they are switched on
// after the service has started.
TEST(Pipeline, HoldsBackInAllSums) {
  const std::string by_cgroup =
      "page_fault_cgroup_faults_total{cgroup=\"unknown\",severity=\"minor\"} ";
  const std::string by_group =
      "page_fault_group_faults_total{group=\"burst\",severity=\"minor\",access="
      "\"unknown\",kind=\"unknown\"} ";
  for (const bool late : {false, true}) {
    FakeSource source;
    for (int i = 0; i < 2; ++i) source.Then(Of({}));
    source.Then(Of({Exited(7, 1, "burst", 100000)}));
    for (int i = 0; i < 2; ++i) source.Then(Of({}));
    PipelineSettings with_sums;
    with_sums.birth_hold = std::chrono::seconds(1);
    with_sums.groups = {GroupBy(Field::kComm)};
    with_sums.procfs = "/nonexistent";
    PipelineSettings without = with_sums;
    without.groups.clear();
    without.max_cgroups = 0;
    Pipeline pipeline(&source, late ? without : with_sums);
    pipeline.Tick();
    pipeline.Configure(with_sums);
    pipeline.Tick();
    auto view = pipeline.Tick();
    EXPECT_EQ(TextOf(*view, Metric::kCgroupFaults), by_cgroup + "0\n") << late;
    EXPECT_EQ(TextOf(*view, Metric::kGroupFaults), by_group + "0\n") << late;
    EXPECT_EQ(view->cgroups_held.faults, 100000u) << late;
    EXPECT_EQ(view->groups_held.faults, 100000u) << late;
    for (int i = 0; i < 2; ++i) view = pipeline.Tick();
    EXPECT_EQ(TextOf(*view, Metric::kCgroupFaults), by_cgroup + "100000\n");
    EXPECT_EQ(TextOf(*view, Metric::kGroupFaults), by_group + "100000\n");
    EXPECT_EQ(view->cgroups_held.faults, 0u) << late;
    EXPECT_EQ(view->groups_held.faults, 0u) << late;
  }
}

// A source that throws when it is told to.
class ThrowingSource : public FakeSource {
 public:
  std::optional<Error> Read(Snapshot* snapshot) override {
    auto error = FakeSource::Read(snapshot);
    if (memory) throw std::bad_alloc();
    if (other) throw std::runtime_error("a bug");
    return error;
  }
  bool memory = false, other = false;
};

TEST(Pipeline, AnExceptionIsAFailedRead) {
  ThrowingSource source;
  for (uint64_t faults = 5; faults < 9; ++faults)
    source.Then(Of({Live(1, 1, "init", faults)}));
  Pipeline pipeline(&source, {});
  const auto good = pipeline.Tick();
  source.memory = true;
  auto bad = pipeline.Tick();
  EXPECT_EQ(bad->error->cause, Cause::kOutOfMemory);
  EXPECT_EQ(Errors(*bad, Cause::kOutOfMemory), 1u);
  EXPECT_TRUE(bad->families.empty());
  EXPECT_EQ(bad->rows, good->rows) << "the last good rows stay";
  source.memory = false;
  source.other = true;
  bad = pipeline.Tick();
  EXPECT_EQ(bad->error->cause, Cause::kInternal);
  EXPECT_EQ(bad->error->message, "unexpected: a bug");
  source.other = false;
  const auto again = pipeline.Tick();
  EXPECT_FALSE(again->error);
  EXPECT_EQ(again->rows->growth[0].faults, 3u) << "since the last good tick";
}

TEST(Pipeline, AViewDoesNotChange) {
  FakeSource source;
  for (uint64_t faults = 1; faults < 20; ++faults)
    source.Then(Of({Live(1, 1, "init", faults)}));
  Pipeline pipeline(&source, {});
  const auto first = pipeline.Tick();
  for (int tick = 0; tick < 10; ++tick) pipeline.Tick();
  EXPECT_EQ(first->rows->processes[0].faults, 1u);
  EXPECT_EQ(first->history.ticks().size(), 1u);
}

// Start times are those of before while the clock is adjusted, and move with it
// when it is set.
TEST(BootMoment, MovesWithAClockThatIsSet) {
  BootMoment boot;
  constexpr uint64_t kDay = 86400 * kSecond, kBoot = 20000 * kDay;
  EXPECT_EQ(boot.Note(kBoot + 50, 50), kBoot);
  EXPECT_EQ(boot.Note(kBoot + 900000000, 60), kBoot);
  EXPECT_EQ(boot.Note(kBoot - 900000000, 70), kBoot);
  EXPECT_EQ(boot.Note(kBoot + kDay + 80, 80), kBoot + kDay);
  EXPECT_EQ(boot.Note(kBoot + kDay + 90, 90), kBoot + kDay);
  EXPECT_EQ(boot.Note(kBoot - kDay + 100, 100), kBoot - kDay);
}

// The forms that were asked for are made in the tick, and no others.
TEST(Poller, RendersInTheFormsThatAreWanted) {
  FakeSource source;
  for (uint64_t faults = 1; faults < 400; ++faults)
    source.Then(Of({Live(1, 1, "init", faults)}));
  Pipeline pipeline(&source, {});
  const auto after_two_ticks = [](const Poller& poller) {
    const uint64_t ticks = poller.Current()->ticks + 2;
    WaitUntil([&] { return poller.Current()->ticks >= ticks; });
    return poller.Current()->families.at(0).samples;
  };
  {
    Poller poller(&pipeline, std::chrono::milliseconds(1), [](const auto&) {});
    poller.Want(true);
    const auto compressed = after_two_ticks(poller);
    EXPECT_TRUE(compressed->has_packed());
    EXPECT_FALSE(compressed->has_plain());
    poller.Want(false);
    const auto both = after_two_ticks(poller);
    EXPECT_TRUE(both->has_packed() && both->has_plain());
  }
  Poller forgetful(
      &pipeline, std::chrono::milliseconds(1), [](const auto&) {},
      std::chrono::milliseconds(0));
  forgetful.Want(true);
  const auto plain = after_two_ticks(forgetful);
  EXPECT_TRUE(plain->has_plain());
  EXPECT_FALSE(plain->has_packed());
}

TEST(Poller, TicksAtOnceAndThenOnTheTimer) {
  FakeSource source;
  source.Then(Of({Live(1, 1, "init", 5)}));
  Pipeline pipeline(&source, {});
  std::atomic<uint64_t> ticks = 0;
  Poller poller(&pipeline, std::chrono::milliseconds(1),
                [&ticks](const View& p) { ticks = p.ticks; });
  EXPECT_TRUE(poller.AwaitFirstTick(kLongestWait));
  EXPECT_GE(poller.Current()->ticks, 1u);
  WaitUntil([&] { return ticks >= 5; });
  EXPECT_GE(poller.Current()->ticks, 5u);
}

TEST(Poller, GoesOnAfterAnException) {
  FakeSource source;
  source.Then(Of({Live(1, 1, "init", 5)}));
  Pipeline pipeline(&source, {});
  std::atomic<int> calls = 0;
  const Poller poller(&pipeline, std::chrono::milliseconds(1),
                      [&calls](const auto&) {
                        if (++calls % 2) throw std::bad_alloc();
                        throw std::runtime_error("a bug");
                      });
  WaitUntil([&calls] { return calls >= 3; });
}

TEST(Poller, EndsWithoutWaitingForItsInterval) {
  FakeSource source;
  source.Then(Of({}));
  Pipeline pipeline(&source, {});
  int ticks = 0;
  {
    Poller poller(&pipeline, std::chrono::hours(1),
                  [&ticks](const auto&) { ++ticks; });
    EXPECT_TRUE(poller.AwaitFirstTick(kLongestWait));
    EXPECT_FALSE(poller.TickBegan());
    EXPECT_TRUE(poller.Stop(kLongestWait));
  }
  EXPECT_EQ(ticks, 1);
}

// A source whose reads do not end before it is told so.
class HangingSource : public FakeSource {
 public:
  std::optional<Error> Read(Snapshot* snapshot) override {
    reads_end_.get_future().wait();
    return FakeSource::Read(snapshot);
  }
  void EndReads() { reads_end_.set_value(); }

 private:
  std::promise<void> reads_end_;
};

TEST(Poller, TellsOfATickThatDoesNotEnd) {
  HangingSource source;
  source.Then(Of({Live(1, 1, "init", 5)}));
  Pipeline pipeline(&source, {});
  Poller poller(&pipeline, std::chrono::hours(1), [](const auto&) {});
  constexpr std::chrono::milliseconds kShort{1};
  WaitUntil([&] { return poller.TickBegan().has_value(); });
  EXPECT_FALSE(poller.AwaitFirstTick(kShort));
  EXPECT_EQ(poller.Current()->ticks, 0u) << "there is an empty view meanwhile";
  EXPECT_FALSE(poller.Stop(kShort));
  source.EndReads();
  EXPECT_TRUE(poller.Stop(kLongestWait));
  EXPECT_FALSE(poller.TickBegan());
  EXPECT_EQ(poller.Current()->ticks, 1u);
}

}  // namespace
}  // namespace pfe
