// SPDX-License-Identifier: Apache-2.0
// Answers in JSON.
#ifndef EXPORTER_HTTP_JSON_RESPONSE_H_
#define EXPORTER_HTTP_JSON_RESPONSE_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "http/message.h"

namespace pfe {

// Bytes that are no UTF-8 are replaced.
HttpResponse JsonResponse(int status, const nlohmann::json& json);

// An answer whose only key is `error`, a sentence.
HttpResponse JsonError(int status, const std::string& why);

}  // namespace pfe

#endif  // EXPORTER_HTTP_JSON_RESPONSE_H_
