// SPDX-License-Identifier: Apache-2.0
// Reads from a request's headers what the client accepts.
#ifndef EXPORTER_HTTP_NEGOTIATION_H_
#define EXPORTER_HTTP_NEGOTIATION_H_

#include <string_view>

namespace pfe {

// Whether Accept-Encoding allows gzip (RFC 9110, section 12.5.3): it names
// gzip, x-gzip or * with a weight above 0. An empty or absent header does not.
bool AcceptsGzip(std::string_view accept_encoding);

// Whether Accept-Encoding allows an uncompressed answer. It does, unless it
// contains identity;q=0, or *;q=0 without naming identity.
bool AcceptsIdentity(std::string_view accept_encoding);

enum class Format { kText, kOpenMetrics };

// The format of metrics that Accept prefers (RFC 9110, section 12.5.1). That is
// text, unless application/openmetrics-text, in version 1.0.0 or without a
// version, has the higher weight. A client that names neither gets text, as it
// does from Prometheus's own libraries.
Format PreferredFormat(std::string_view accept);

}  // namespace pfe

#endif  // EXPORTER_HTTP_NEGOTIATION_H_
