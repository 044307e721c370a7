// SPDX-License-Identifier: Apache-2.0
// What a client accepts, by its request headers.
#ifndef EXPORTER_NEGOTIATION_H_
#define EXPORTER_NEGOTIATION_H_

#include <string_view>

namespace pfe {

// Whether Accept-Encoding allows gzip (RFC 9110, section 12.5.3): gzip, x-gzip
// or * with a weight above 0. An empty or absent header asks for none.
bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace pfe

#endif  // EXPORTER_NEGOTIATION_H_
