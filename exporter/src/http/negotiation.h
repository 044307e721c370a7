// SPDX-License-Identifier: Apache-2.0
// What a client accepts, by its request headers.
#ifndef EXPORTER_HTTP_NEGOTIATION_H_
#define EXPORTER_HTTP_NEGOTIATION_H_

#include <string_view>

namespace pfe {

// Whether Accept-Encoding allows gzip (RFC 9110, section 12.5.3): gzip, x-gzip
// or * with a weight above 0. An empty or absent header asks for none.
bool AcceptsGzip(std::string_view accept_encoding);

// Whether it allows an answer as it is: all but identity;q=0, or *;q=0 without
// identity.
bool AcceptsIdentity(std::string_view accept_encoding);

enum class Format { kText, kOpenMetrics, kNone };

// The form of metrics that Accept prefers (RFC 9110, section 12.5.1): text
// unless application/openmetrics-text, in version 1.0.0 or without one, has the
// higher weight; kNone if it takes neither. An empty or absent header takes
// text.
Format PreferredFormat(std::string_view accept);

}  // namespace pfe

#endif  // EXPORTER_HTTP_NEGOTIATION_H_
