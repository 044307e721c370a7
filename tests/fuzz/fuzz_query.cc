// SPDX-License-Identifier: Apache-2.0
// What a request's sender chooses: the query, and the headers that are weighed.
#include <string>
#include <string_view>

#include "cgroup_reader.h"
#include "negotiation.h"
#include "options.h"
#include "procfs_source.h"
#include "query.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string error;
  pfe::ParseQuery(text, &error);
  pfe::AcceptsGzip(text);
  pfe::AcceptsIdentity(text);
  pfe::PreferredFormat(text);
  pfe::ProcessTable table;
  pfe::ParseProcStat(text, &table);
  pfe::ParseCgroupPath(pfe::CgroupPathOf(text));
  pfe::ParseDuration(std::string(text));
  return 0;
}
