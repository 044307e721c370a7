// SPDX-License-Identifier: Apache-2.0
// The parameters of requests for explanations and profiles.
#ifndef EXPORTER_HTTP_EXPLAIN_QUERY_H_
#define EXPORTER_HTTP_EXPLAIN_QUERY_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "profile/explanations.h"

namespace pfe {

struct ExplainQuery {
  Explanations::Request request;
  size_t rows = 50;
};

// Parses comm, pid or cgroup, seconds and, if `is_profile` is false, limit. A
// profile is of all processes if it is not said whose. Returns nothing, and
// says in `wrong` what is wrong.
std::optional<ExplainQuery> ParseExplainQuery(std::string_view query,
                                              bool is_profile,
                                              std::string* wrong);

}  // namespace pfe

#endif  // EXPORTER_HTTP_EXPLAIN_QUERY_H_
