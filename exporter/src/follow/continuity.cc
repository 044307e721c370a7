// SPDX-License-Identifier: Apache-2.0
#include "follow/continuity.h"

#include <utility>

namespace pfe {

void Continuity::Begin(bool new_source, size_t old_rows) {
  new_source_ = new_source;
  next_offsets_ = {};
  if (new_source) next_offsets_.reserve(old_rows);
}

uint32_t Continuity::Restart(const ProcessTable& old_table, const Process& old,
                             ProcessTable* table, Process* row) {
  Offset& offset = next_offsets_.emplace_back();
  offset.counters = CountersOf(old) - CountersOf(*row);
  SetCounters(CountersOf(old), row);
  const SlowFaults slow = old_table.slow(old), source_slow = table->slow(*row);
  for (size_t i = 0; i < slow.size(); ++i)
    offset.slow[i] = slow[i] - source_slow[i];
  table->SetSlow(slow, row);
  const Breakdown exported = old_table.breakdown(old);
  const Breakdown source = table->breakdown(*row);
  for (size_t i = 0; i < kBreakdownCells; ++i)
    offset.breakdown[i] = exported[i] - source[i];
  table->SetBreakdown(old.cells, exported, row);
  return static_cast<uint32_t>(next_offsets_.size());
}

uint32_t Continuity::Continue(const ProcessTable& old_table, const Process& old,
                              uint32_t slot, ProcessTable* table, Process* row,
                              RowGrowth* growth) {
  if (new_source_) return Restart(old_table, old, table, row);
  const Offset* const offset = OffsetAt(slot);
  Counters exported = CountersOf(old);
  const Counters source = offset ? exported - offset->counters : exported;
  growth->counters = GrowthOf(source, CountersOf(*row));
  exported += growth->counters;
  SetCounters(exported, row);
  GrowSlow(old_table, old, offset, table, row, growth);
  GrowBreakdown(old_table, old, offset, table, row, growth);
  return slot;
}

void Continuity::GrowSlow(const ProcessTable& old_table, const Process& old,
                          const Offset* offset, ProcessTable* table,
                          Process* row, RowGrowth* growth) const {
  if (!offset && !old.slow_bits && !row->slow_bits) return;
  SlowFaults exported = old_table.slow(old);
  const SlowFaults source = table->slow(*row);
  for (size_t i = 0; i < exported.size(); ++i) {
    const uint64_t was = offset ? exported[i] - offset->slow[i] : exported[i];
    growth->slow[i] = Growth(was, source[i]);
    exported[i] += growth->slow[i];
  }
  if (exported != source) table->SetSlow(exported, row);
}

void Continuity::GrowBreakdown(const ProcessTable& old_table,
                               const Process& old, const Offset* offset,
                               ProcessTable* table, Process* row,
                               RowGrowth* growth) const {
  // In most rows the exported counts equal the source's. Then no cell is
  // rewritten.
  bool as_read = !offset && !(old.cells & ~row->cells);
  const uint64_t* before = old_table.counts(old);
  const uint64_t* now = table->counts(*row);
  if (as_read)
    ForEachCell(row->cells, [&](size_t cell) {
      const uint64_t count = *now++;
      const uint64_t was = old.cells & 1u << cell ? *before++ : 0;
      if (count > was) growth->SetCell(cell, count - was);
      as_read &= count >= was;
    });
  if (as_read) return;
  growth->cells = 0;
  Breakdown exported = old_table.breakdown(old);
  const Breakdown source = table->breakdown(*row);
  uint32_t cells = 0;
  for (size_t i = 0; i < kBreakdownCells; ++i) {
    const uint64_t was =
        offset ? exported[i] - offset->breakdown[i] : exported[i];
    if (source[i] > was) growth->SetCell(i, source[i] - was);
    exported[i] += Growth(was, source[i]);
    if (exported[i]) cells |= 1u << i;
  }
  table->SetBreakdown(cells, exported, row);
}

uint64_t Continuity::SourceFaults(const Process& old, uint32_t slot) const {
  const Offset* const offset = OffsetAt(slot);
  return old.faults - (offset ? offset->counters.faults : 0);
}

void Continuity::Commit() noexcept {
  if (new_source_) offsets_ = std::move(next_offsets_);
}

}  // namespace pfe
