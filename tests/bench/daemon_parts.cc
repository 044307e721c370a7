// SPDX-License-Identifier: Apache-2.0
// Measures the time and the CPU of a tick and of its parsing, by the number of
// rows.
#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "source/table_parser.h"
#include "tick/pipeline.h"

namespace pfe {
namespace {

// A table in the module's format. `salt` changes all values of every row. The
// rows are in control groups with these ids.
std::string Table(int64_t rows, uint64_t salt,
                  const std::vector<uint64_t>& groups = {1}) {
  std::string text =
      "# page_faults 1\n"
      "pid\tstart_ns\tstate\tvma_kb\trss_kb\trss_anon_kb\trss_file_kb\t"
      "rss_shmem_kb\tswap_kb\tfaults\tminor\tmajor\tstall_ns\tslow_1ms\t"
      "slow_10ms\tslow_100ms\tslow_1s\tbreakdown\tcgroup\tcomm\n";
  for (int64_t i = 1; i <= rows; ++i) {
    const uint64_t faults = 1000 + static_cast<uint64_t>(i) + salt;
    text += std::to_string(i) + "\t" + std::to_string(i * 1000000) +
            "\tlive\t" + std::to_string(8000 + salt) + "\t" +
            std::to_string(3000 + i % 100 + static_cast<int64_t>(salt)) + "\t" +
            std::to_string(1000 + salt) + "\t2000\t0\t" + std::to_string(salt) +
            "\t" + std::to_string(faults) + "\t" + std::to_string(faults) +
            "\t0\t" + std::to_string(faults * 900) +
            "\t0\t0\t0\t0\tmrf=300,mwa=" + std::to_string(faults - 300) + "\t" +
            std::to_string(groups[static_cast<size_t>(i) % groups.size()]) +
            "\tworker-" + std::to_string(i % 50) + "\n";
  }
  return text + "# end rows=" + std::to_string(rows) + "\n";
}

// Gives two tables in turn, so that every counter changes every tick.
class TableSource : public Source {
 public:
  explicit TableSource(int64_t rows, const std::vector<uint64_t>& groups = {1})
      : texts_{Table(rows, 0, groups), Table(rows, 5, groups)} {}
  const char* Name() const override { return "module"; }
  std::optional<Error> Read(Snapshot* snapshot) override {
    auto error = ParseTable(texts_[tick_ % 2], "table", snapshot);
    snapshot->source = "module";
    snapshot->read_ns = ++tick_ * 1000000000;
    return error;
  }

 private:
  const std::string texts_[2];
  uint64_t tick_ = 0;
};

void Parse(benchmark::State& state) {
  const std::string text = Table(state.range(0), 0);
  Snapshot snapshot;
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(ParseTable(text, "table", &snapshot));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Parse)->Arg(1000)->Arg(10000)->Arg(100000)->Unit(
    benchmark::kMillisecond);

// A whole tick, without reading the file.
void Tick(benchmark::State& state) {
  TableSource source(state.range(0));
  PipelineSettings settings;
  settings.selection.max = 10000000;
  settings.basic_families_only = state.range(1);
  settings.max_cgroups = 0;
  Pipeline pipeline(&source, settings);
  const Forms forms = {false, true};
  std::shared_ptr<const View> view = pipeline.Tick(forms);
  for ([[maybe_unused]] auto _ : state) view = pipeline.Tick(forms);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Tick)
    ->ArgNames({"rows", "basic_families_only"})
    ->ArgsProduct({{1000, 10000, 100000}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

// A directory that looks like a hierarchy with this many groups.
class Hierarchy {
 public:
  explicit Hierarchy(int64_t groups) : root_("/tmp/pfe_groups_XXXXXX") {
    if (!mkdtemp(root_.data())) abort();
    std::ofstream controllers(root_ + "/cgroup.controllers");
    for (int64_t i = 0; i < groups; ++i) {
      const std::string path = root_ +
                               "/kubepods.slice/kubepods-burstable.slice/"
                               "kubepods-burstable-pod" +
                               std::to_string(i) + ".slice/cri-containerd-" +
                               std::string(64, 'a') + ".scope";
      std::filesystem::create_directories(path);
      struct stat status {};
      if (stat(path.c_str(), &status)) abort();
      ids_.push_back(status.st_ino);
    }
  }
  ~Hierarchy() { std::filesystem::remove_all(root_); }
  Hierarchy(const Hierarchy&) = delete;
  Hierarchy& operator=(const Hierarchy&) = delete;
  const std::string& root() const { return root_; }
  const std::vector<uint64_t>& ids() const { return ids_; }

 private:
  std::string root_;
  std::vector<uint64_t> ids_;
};

// A whole tick of 10,000 rows in 1,000 control groups; max_cgroups 0 is without
// sums by control group.
void Cgroups(benchmark::State& state) {
  const Hierarchy hierarchy(1000);
  TableSource source(10000, hierarchy.ids());
  PipelineSettings settings;
  settings.selection.max = 10000000;
  settings.max_cgroups = static_cast<size_t>(state.range(0));
  settings.cgroups = hierarchy.root();
  Pipeline pipeline(&source, settings);
  const Forms forms = {false, true};
  std::shared_ptr<const View> view = pipeline.Tick(forms);
  for ([[maybe_unused]] auto _ : state) view = pipeline.Tick(forms);
}
BENCHMARK(Cgroups)
    ->ArgName("max_cgroups")
    ->Arg(0)
    ->Arg(200)
    ->Arg(1000)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pfe

BENCHMARK_MAIN();
