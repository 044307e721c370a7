// SPDX-License-Identifier: Apache-2.0
#include "base/process_table.h"

#include "base/refill.h"

namespace pfe {

void ProcessTable::Clear() {
  ClearForRefill(&rows_);
  ClearForRefill(&comms_);
  ClearForRefill(&counts_);
  ClearForRefill(&slow_);
}

void ProcessTable::SetComm(std::string_view comm) {
  Process& row = rows_.back();
  // Processes of one program often follow each other: they share the text.
  if (rows_.size() > 1) {
    const Process& before = rows_[rows_.size() - 2];
    if (this->comm(before) == comm) {
      row.comm_at = before.comm_at;
      row.comm_size = before.comm_size;
      return;
    }
  }
  row.comm_at = static_cast<uint32_t>(comms_.size());
  row.comm_size = static_cast<uint16_t>(comm.size());
  comms_ += comm;
}

void ProcessTable::SetBreakdown(uint32_t cells, const Breakdown& counts,
                                Process* row) {
  row->cells = cells;
  row->counts_at = static_cast<uint32_t>(counts_.size());
  ForEachCell(cells, [&](size_t cell) { counts_.push_back(counts[cell]); });
}

void ProcessTable::SetSlow(const SlowFaults& slow, Process* row) {
  row->slow_bits = 0;
  for (size_t i = 0; i < slow.size(); ++i)
    if (slow[i]) row->slow_bits |= static_cast<uint8_t>(1u << i);
  if (!row->slow_bits) return;
  row->slow_at = static_cast<uint32_t>(slow_.size());
  slow_.push_back(slow);
}

Breakdown ProcessTable::breakdown(const Process& row) const {
  Breakdown all{};
  const uint64_t* count = counts(row);
  ForEachCell(row.cells, [&](size_t cell) { all[cell] = *count++; });
  return all;
}

}  // namespace pfe
