// SPDX-License-Identifier: Apache-2.0
#ifndef EXPORTER_GZIP_H_
#define EXPORTER_GZIP_H_

#include <string>
#include <string_view>

namespace pfe {

// One gzip member (RFC 1952). Members may be put one behind the other: readers
// see their contents joined (RFC 1952, section 2.2).
std::string Gzip(std::string_view text);

}  // namespace pfe

#endif  // EXPORTER_GZIP_H_
