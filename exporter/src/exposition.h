// SPDX-License-Identifier: Apache-2.0
// Snapshots in Prometheus's text format (version 0.0.4).
//
// By hand since it is the hot path: the text is rendered once a tick into one
// buffer, and a scrape hands the bytes out. One prometheus-cpp Gauge a label
// set took 30 times as long a tick at 10,000 processes, and a hundred times as
// long a scrape; a test compares the text with prometheus-cpp's serializer.
#ifndef EXPORTER_EXPOSITION_H_
#define EXPORTER_EXPOSITION_H_

#include <string>

#include "snapshot.h"

namespace pfe {

// The families page_faults_total, vma_bytes and rss_bytes of the live
// processes, ordered by pid. Should two live rows have one pid, the one that
// started later wins: a label set is never rendered twice.
std::string RenderProcesses(const Snapshot& snapshot);

}  // namespace pfe

#endif  // EXPORTER_EXPOSITION_H_
