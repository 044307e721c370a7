// SPDX-License-Identifier: Apache-2.0
// Whether a request is of this machine.
#ifndef EXPORTER_HTTP_LOOPBACK_H_
#define EXPORTER_HTTP_LOOPBACK_H_

#include "http/message.h"

namespace pfe {

// It comes from a loopback address, no proxy has forwarded it, and it asks for
// a loopback address by its Host: a page that a browser of this machine shows
// can give its own name the address 127.0.0.1 (DNS rebinding). And no page of
// another site has made it: Sec-Fetch-Site (W3C, Fetch Metadata Request
// Headers) says so.
bool IsOfThisMachine(const HttpRequest& request);

}  // namespace pfe

#endif  // EXPORTER_HTTP_LOOPBACK_H_
