// SPDX-License-Identifier: Apache-2.0
// Parses what the sender of a request, or a process on the host, chooses: the
// query, the headers, paths of control groups, names of logs, /proc.
#include <string>
#include <string_view>

#include "app/options.h"
#include "http/negotiation.h"
#include "http/query.h"
#include "source/cgroup_path.h"
#include "source/cgroup_reader.h"
#include "source/pod_names.h"
#include "source/procfs_source.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string error;
  pfe::ParseQuery(text, &error);
  pfe::AcceptsGzip(text);
  pfe::AcceptsIdentity(text);
  pfe::PreferredFormat(text);
  pfe::ProcessTable table;
  pfe::ParseProcStat(text, &table);
  for (const bool by_systemd : {false, true})
    pfe::ParseCgroupPath(pfe::CgroupPathOf(text, by_systemd));
  pfe::ParseContainerLog(text);
  pfe::ParsePodLogs(text);
  pfe::ParseDuration(std::string(text));
  return 0;
}
