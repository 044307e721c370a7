// SPDX-License-Identifier: Apache-2.0
// Measures the time and the CPU of a tick and of its parsing, by the number of
// rows.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "source/table_parser.h"
#include "tick/pipeline.h"

namespace pfe {
namespace {

// A table in the module's format. `salt` changes all values of every row.
std::string Table(int64_t rows, uint64_t salt) {
  std::string text =
      "# page_faults 1\n"
      "pid\tstart_ns\tstate\tvma_kb\trss_kb\trss_anon_kb\trss_file_kb\t"
      "rss_shmem_kb\tswap_kb\tfaults\tminor\tmajor\tstall_ns\tslow_1ms\t"
      "slow_10ms\tslow_100ms\tslow_1s\tbreakdown\tcomm\n";
  for (int64_t i = 1; i <= rows; ++i) {
    const uint64_t faults = 1000 + static_cast<uint64_t>(i) + salt;
    text += std::to_string(i) + "\t" + std::to_string(i * 1000000) +
            "\tlive\t" + std::to_string(8000 + salt) + "\t" +
            std::to_string(3000 + i % 100 + static_cast<int64_t>(salt)) + "\t" +
            std::to_string(1000 + salt) + "\t2000\t0\t" + std::to_string(salt) +
            "\t" + std::to_string(faults) + "\t" + std::to_string(faults) +
            "\t0\t" + std::to_string(faults * 900) +
            "\t0\t0\t0\t0\tmrf=300,mwa=" + std::to_string(faults - 300) +
            "\tworker-" + std::to_string(i % 50) + "\n";
  }
  return text + "# end rows=" + std::to_string(rows) + "\n";
}

// Gives two tables in turn, so that every counter changes every tick.
class TableSource : public Source {
 public:
  explicit TableSource(int64_t rows) : texts_{Table(rows, 0), Table(rows, 5)} {}
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

}  // namespace
}  // namespace pfe

BENCHMARK_MAIN();
